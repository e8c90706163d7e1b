"""The page of html: its template, style and script, as text because pure rooms read no files."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark;
  --back: #ffffff; --card: #f6f8fa; --line: #d5dbe1; --text: #1c2329; --dim: #59636e;
  --add: #116329; --remove: #a40e26; --change: #8a5300; --risk-back: #fff1d6; --risk: #7a4500;
  --bad-back: #ffebe9; --bad: #a40e26; --link: #0b57b0; }
@media (prefers-color-scheme: dark) { :root {
  --back: #12161b; --card: #1a2027; --line: #323b45; --text: #e4e9ee; --dim: #9aa6b2;
  --add: #56d364; --remove: #ff8a80; --change: #e3b341; --risk-back: #3a2c0c; --risk: #f0c65a;
  --bad-back: #3d1518; --bad: #ff9d94; --link: #7ab7ff; } }
* { box-sizing: border-box; }
body { margin: 0; overflow-wrap: anywhere; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.35rem; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
h2 small, .dim { color: var(--dim); font-weight: normal; }
code, .values td, .id { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  font-size: .86rem; overflow-wrap: anywhere; }
.facts { color: var(--dim); margin: 0; font-size: .86rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
.values { table-layout: fixed; min-width: 40rem; }
th { text-align: left; overflow-wrap: normal; font-size: .8rem; color: var(--dim);
  font-weight: 600; }
th, td { padding: .3rem .6rem; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; }
.grid { border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.risk { background: var(--risk-back); color: var(--risk); border-radius: 3px; padding: .05rem .4rem;
  font: 600 .78rem/1.5 system-ui, sans-serif; white-space: nowrap; }
.note { color: var(--dim); font: .82rem/1.5 system-ui, sans-serif; }
.bad { background: var(--bad-back); border: 1px solid var(--bad); border-radius: 6px;
  padding: .7rem 1rem; margin: .5rem 0; }
.bad p, .bad dl { margin: .15rem 0; }
.bad b, .bad code.kind { color: var(--bad); }
dl { display: grid; grid-template-columns: 6rem 1fr; gap: .1rem .6rem; }
dt { color: var(--dim); } dd { margin: 0; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: center;
  position: sticky; top: 0; background: var(--back); padding: .7rem 0; margin-top: 1rem;
  border-bottom: 1px solid var(--line); z-index: 1; }
.tools input[type=search] { flex: 1 1 18rem; max-width: 34rem; padding: .45rem .7rem; font: inherit;
  color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
.tools :focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
article { border: 1px solid var(--line); border-radius: 6px; background: var(--card);
  margin: .6rem 0; content-visibility: auto; contain-intrinsic-size: auto 7rem; }
article header { display: flex; flex-wrap: wrap; gap: .1rem .8rem; align-items: baseline;
  padding: .5rem .8rem; }
article header b { overflow-wrap: anywhere; }
.where { margin-left: auto; color: var(--dim); }
.values td:first-child { width: 1.9rem; text-align: center; font-weight: 700; }
.values td:nth-child(2) { width: 26%; }
.values td:nth-child(3), .values td:nth-child(4) { width: 24%; }
.values .before { color: var(--dim); }
.add td:first-child, .add .after { color: var(--add); }
.remove td:first-child, .remove .before { color: var(--remove); }
.change td:first-child, .change .after { color: var(--change); }
.members { padding: .4rem .8rem; border-top: 1px solid var(--line); color: var(--dim); }
.members ul, .plain { margin: .3rem 0; padding-left: 1.2rem; columns: 24rem; }
.plain { columns: auto; }
li { overflow-wrap: anywhere; break-inside: avoid; }
summary { cursor: pointer; }
/* A cell is a bidi world of its own; elsewhere bdi is. */
td { unicode-bidi: isolate; }
[hidden] { display: none !important; }
footer { margin-top: 3rem; color: var(--dim); font-size: .82rem; overflow-wrap: anywhere; }
@media (max-width: 44rem) { .where { margin-left: 0; width: 100%; } }
@media print { .tools { display: none; } article { content-visibility: visible; } }
"""

# It only hides and shows; nothing of the plan is ever parsed as markup or code.
SCRIPT: Final = """
"use strict";
(() => {
  const field = document.getElementById("find");
  const risky = document.getElementById("risky");
  const count = document.getElementById("count");
  const cards = Array.from(document.querySelectorAll("[data-find]"));
  const texts = new Map();
  const text = (card) => {
    if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
    return texts.get(card);
  };
  const filter = () => {
    const wanted = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    for (const card of cards) {
      const fits = wanted.every((word) => text(card).includes(word))
        && (!risky.checked || card.dataset.risk === "yes");
      card.hidden = !fits;
      if (fits) shown += 1;
    }
    const all = wanted.length === 0 && !risky.checked;
    count.textContent = all ? "" : `${shown} of ${cards.length} blocks`;
  };
  let waiting = 0;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  risky.addEventListener("change", filter);
  document.getElementById("tools").hidden = false;
})();
"""

TEMPLATE: Final = """\
{% macro names(device) -%}
<b class="id"><bdi>{{ device.id }}</bdi></b>
{%- if device.label %} <bdi>{{ device.label }}</bdi>{% endif %}
{%- endmacro %}
{% macro badges(risks) -%}
{% for risk in risks %} <span class="risk">{{ risk.value }}</span>{% endfor %}
{%- endmacro %}
{% macro top(block) -%}
<header>
{% if block.devices|length > 1 %}
<b>{{ devices(block.devices|length) }}</b>
{% else %}
<span>{{ names(block.devices[0]) }}</span>
{% endif %}
<span class="dim"><bdi>{{ block.application }}</bdi></span>
{% if block.left_files %}<span class="note">left the files</span>{% endif %}
{{ badges(block.risks) }}
{% if block.devices|length == 1 %}
<code class="where"><bdi>{{ block.devices[0].source }}</bdi></code>
{% endif %}
</header>
{%- endmacro %}
{% macro members(block) -%}
{% if block.devices|length > 1 %}
<details class="members"><summary>which devices</summary><ul>
{% for device in block.devices %}
<li>{{ names(device) }} <code class="dim"><bdi>{{ device.source }}</bdi></code></li>
{% endfor %}
</ul></details>
{% endif %}
{%- endmacro %}
{% macro short(title, what, found) -%}
{% if found %}
<h2>{{ title }}: {{ devices(found|length) }} <small>{{ what }}</small></h2>
<details{% if found|length <= 20 %} open{% endif %}><summary>which devices</summary>
<ul class="plain">
{% for device in found %}
<li data-find>{{ names(device) }} <span class="dim"><bdi>{{ device.application }}</bdi></span>
<code class="dim"><bdi>{{ device.source }}</bdi></code></li>
{% endfor %}
</ul></details>
{% endif %}
{%- endmacro %}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Reconciler plan</title>
<style>{{ style }}</style>
</head>
<body>
<main>
<h1>{{ plan.summary }}</h1>
<p class="facts">Plan <code><bdi>{{ plan.id }}</bdi></code>, made {{ plan.created_at }}
{%- if plan.commit %}, commit <code><bdi>{{ plan.commit }}</bdi></code>{% endif %}</p>
{% if plan.coverage %}
<p>{{ plan.coverage.sentence() }}</p>
{% if plan.coverage.along %}
<ul class="plain">
{% for one in plan.coverage.along %}
<li><code><bdi>{{ one.id }}</bdi></code> comes along for
<code><bdi>{{ one.needed_by }}</bdi></code>: {{ one.why }}</li>
{% endfor %}
</ul>
{% endif %}
{% endif %}
{% if plan.refusals %}
<h2>Refused <small>this plan cannot be applied</small></h2>
{% for refusal in plan.refusals %}
<div class="bad"><p><b>{{ refusal.guard }}</b>: {{ refusal.message }}</p>
<dl><dt>measured</dt><dd>{{ refusal.measured }}</dd><dt>limit</dt><dd>{{ refusal.limit }}</dd>
<dt>way out</dt><dd>{{ refusal.way_out }}</dd></dl></div>
{% endfor %}
{% endif %}
{% if plan.errors %}
<h2>Withheld <small>the rest is planned</small></h2>
{% for error in plan.errors %}
<div class="bad" data-find><p><code class="kind">error {{ error.code }}</code>
{{ error.message }} <code class="dim"><bdi>{{ error.source }}</bdi></code></p>
{% for text in error.detail %}<p><bdi>{{ text }}</bdi></p>{% endfor %}
{% if error.devices|length > 1 %}
<p class="dim">Devices:
{% for id in error.devices %}<code><bdi>{{ id }}</bdi></code> {% endfor %}</p>
{% endif %}
{% if error.fix %}<p><b>Fix:</b> {{ error.fix }}</p>{% endif %}
</div>
{% endfor %}
{% endif %}
{% if plan.risks %}
<h2>Risks</h2>
<div class="grid scroll"><table><thead>
<tr><th>risk</th><th class="number">devices</th><th>what it means</th></tr></thead><tbody>
{% for risk in plan.risks %}
<tr><td><span class="risk">{{ risk.risk.value }}</span></td>
<td class="number">{{ number(risk.devices|length) }}</td><td>{{ risk.means }}</td></tr>
{% endfor %}
</tbody></table></div>
{% endif %}
{% if plan.warnings %}
<h2>Warnings</h2>
<details{% if plan.warnings|length <= 20 %} open{% endif %}>
<summary>{{ counted(plan.warnings|length, "warning") }}</summary>
<ul class="plain">
{% for warning in plan.warnings %}
<li data-find><code>{{ warning.code }}</code> {{ warning.message }}
<code class="dim"><bdi>{{ warning.source }}</bdi></code></li>
{% endfor %}
</ul></details>
{% endif %}
<div class="tools" id="tools" hidden>
<input type="search" id="find" placeholder="Find a device, label, field, value or file"
 aria-label="Find in this plan" autocomplete="off" spellcheck="false">
<label><input type="checkbox" id="risky"> only with risks</label>
<span class="dim" id="count" role="status"></span>
</div>
{% if plan.changes %}
<h2>Changes</h2>
{% for block in plan.changes %}
<article data-find data-risk="{{ 'yes' if risky(block) else 'no' }}">
{{ top(block) }}
<div class="scroll"><table class="values"><tbody>
{% for field in block.fields %}
<tr class="{{ kinds[field.sign] }}"><td>{{ field.sign }}</td><td>{{ field.path }}</td>
<td class="before">{% if field.sign != "+" %}{{ field.before }}{% endif %}</td>
<td class="after">{{ field.after }}</td>
<td>{% if field.note %}<span class="note">{{ field.note }}</span>{% endif %}
{{ badges(field.risks) }}</td></tr>
{% endfor %}
</tbody></table></div>
{{ members(block) }}
</article>
{% endfor %}
{% endif %}
{% if plan.drift %}
<h2>Drift <small>reported only, left as it is (onDrift: report)</small></h2>
{% for block in plan.drift %}
<article data-find data-risk="no">
{{ top(block) }}
<div class="scroll"><table class="values"><tbody>
{% for field in block.fields %}
<tr><td></td><td>{{ field.path }}</td><td>is <bdi>{{ field.before }}</bdi></td>
<td>declared <bdi>{{ field.after }}</bdi></td><td></td></tr>
{% endfor %}
</tbody></table></div>
{{ members(block) }}
</article>
{% endfor %}
{% endif %}
{{ short("Gone", "the service knows no such registration", plan.gone) }}
{% if plan.proposals %}
<h2>Back <small>gone, and perhaps installed again; only proposed, see
<code>--write-patch</code></small></h2>
<ul class="plain">
{% for one in plan.proposals %}
<li data-find data-risk="no"><code>{{ one.id }}</code>
{% if one.replacement %}→ <code>{{ one.replacement }}</code> {% endif %}
<bdi>{{ one.label }}</bdi> <span class="dim"><bdi>{{ one.application }}</bdi>
<bdi>{{ one.source }}</bdi>: <bdi>{{ one.why }}</bdi></span></li>
{% endfor %}
</ul>
{% endif %}
{% if plan.not_looked_for %}
<p>{{ plan.not_looked_for }}</p>
{% endif %}
{{ short("Release", "left the files; forgotten, no call", plan.released) }}
{{ short("Adopt", "as declared already; apply only notes them", plan.adopted) }}
<footer>Digest <code>{{ plan.digest }}</code></footer>
</main>
<script>{{ script }}</script>
</body>
</html>
"""
