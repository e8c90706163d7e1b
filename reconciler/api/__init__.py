"""The only door to HTTP: one client with rate limits, retries, credentials and typed answers.

In reading order:

service         the service as methods, each one call of the contract
dispatch        send calls: authorized, rate-limited, retried, each operation in a lane of its own
encode          a call as the message that is sent
exchange        one exchange over HTTP: a request goes out once, an outcome comes back as a value
transport       httpx's transport interface over aiohttp's connections
body            the body of an answer, decompressed up to a size
classify        what an outcome means: a good answer, or an error
error_body      the body of an error answer, redacted
errors          everything that can go wrong with a call, as a tree
decode          answers as typed values
matching        whose many identities are, in as few calls as the service takes
people          people as typed values, one by one or by the page
json_part       one value of an answer as its JSON text, read when somebody asks
lenient         registrations and people that the types refuse, read part by part
applications    the applications of the account as typed values
webhooks        the bodies of the service's webhooks as events
rate_limit      when the calls of one operation may leave
retry           whether a failed attempt is repeated, and after which wait
breaker         the circuit breaker that every call passes before it is sent
credentials     the ways to authenticate, as values
authorization   the Authorization header; OAuth2 tokens, fetched and renewed
probe           reads that are sent once and repeated by nobody, for doctor
sync_client     one request at a time, for state backends
"""
