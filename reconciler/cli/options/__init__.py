"""Options that several commands share, a module each: its flags, what they take, what help says.

accept          --accept GUARD=COUNT
duration        90s, 10m, 1h30m
lock_timeout    --lock-timeout
max_duration    --max-duration
output_file     files that are written at the end, refused at the beginning
output_format   --format
read_strategy   --read
selection       --since, --select, --target
size            256KB, 1MB
"""
