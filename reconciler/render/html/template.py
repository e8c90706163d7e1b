"""The page of html as a template: as text, because pure rooms read no files.

What stands once for each change is written without macros, and close together: of twenty thousand
changes each blank and each call counts.
"""

from __future__ import annotations

from typing import Final

TEMPLATE: Final = """\
{% macro more() -%}
<p class="more" data-more hidden><span></span>: <button type="button">Show some</button>
<button type="button">Show all</button></p>
{%- endmacro %}
{% macro start(title, found, what, list=false) -%}
<section data-part data-devices>
<h2>{{ title }}: <span data-count>{{ devices(found) }}</span>
{%- if what %} <small>{{ what }}</small>{% endif %}</h2>
{% if list %}
<details data-list{% if found <= 20 %} open{% endif %}><summary>which devices</summary>
<ul class="plain" data-entries>
{% endif %}
{%- endmacro %}
{% macro short(title, what, found, action) -%}
{% if found %}
{{ start(title, found|length, what, true) }}
{% for device in found %}
<li data-act="{{ action }}" data-app="{{ apps[device.application] }}">
{{- "" }}<b class="id"><bdi>{{ device.id }}</bdi></b>
{%- if device.label %} <bdi>{{ device.label }}</bdi>{% endif %} <span class="dim"><bdi>
{{- device.application }}</bdi></span> <code class="dim"><bdi>{{ device.source }}</bdi></code></li>
{% endfor %}
</ul></details>
{{ more() }}
</section>
{% endif %}
{%- endmacro %}
{# A macro of its own, although it stands in one place: its many pieces live for one block only. #}
{% macro article(block, is_drift) -%}
{% set device = block.devices[0] %}
{% set many = block.devices|length %}
<article data-act="
{%- if is_drift %}drift{% else %}{{ acts[block.actions] }}{% endif %}" data-app="
{{- apps[block.application] }}"
{%- if block.all_risks %} data-risk="{{ names[block.all_risks] }}"{% endif %}
{%- if many > 1 %} data-size="{{ many }}"{% endif %}><header>
{%- if many > 1 %}<b>{{ devices(many) }}</b>
{%- else %}<span><b class="id"><bdi>{{ device.id }}</bdi></b>
{%- if device.label %} <bdi>{{ device.label }}</bdi>{% endif %}</span>{% endif %}
<span class="dim"><bdi>{{ device.application }}</bdi></span>
{%- if block.left_files %}<span class="note">left the files</span>{% endif %}
{%- if block.risks %}{{ badges[block.risks] }}{% endif %}
{%- if device.source and many == 1 %}<code class="where"><bdi>
{{- device.source }}</bdi></code>{% endif -%}
</header><table class="values"><tbody>
{%- for field in block.fields %}
{%- if is_drift %}
<tr><td></td><td>{{ field.path }}</td><td>is <bdi>{{ field.before }}</bdi></td><td>declared <bdi>
{{- field.after }}</bdi></td><td></td></tr>
{%- else %}
<tr class="{{ kinds[field.sign] }}"><td>{{ field.sign }}</td><td>{{ field.path }}</td><td>
{%- if field.sign != "+" %}{{ field.before }}{% endif %}</td><td>{{ field.after }}</td><td>
{%- if field.note %}<span class="note">{{ field.note }}</span>{% endif %}
{%- if field.risks %}{{ badges[field.risks] }}{% endif %}</td></tr>
{%- endif %}
{%- endfor -%}
</tbody></table>
{%- if many > 1 %}<details class="members"><summary>which devices</summary><ul data-members>
{%- for one in block.devices -%}
<li><b class="id"><bdi>{{ one.id }}</bdi></b>
{%- if one.label %} <bdi>{{ one.label }}</bdi>{% endif %} <code class="dim"><bdi>
{{- one.source }}</bdi></code></li>
{%- endfor -%}
</ul></details>{% endif %}</article>
{%- endmacro %}
{% macro blocks(found, is_drift) -%}
<div data-entries>
{% for block in found %}
{{ article(block, is_drift) }}
{% endfor %}
</div>
{{ more() }}
</section>
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
<h1>{{ heading }}</h1>
{% if counts %}<p>{{ counts }}</p>{% endif %}

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
<dt>fix</dt><dd>{{ refusal.fix }}</dd></dl></div>
{% endfor %}
{% endif %}
{% if plan.errors %}
<section data-part>
<h2>Withheld: <span data-count>{{ counted(plan.errors|length, "error") }}</span>
<small>the rest is planned</small></h2>
<div data-entries>
{% for error in plan.errors %}
<div class="bad"><p><code class="kind">error {{ error.code }}</code>
{{ error.message }} <code class="dim"><bdi>{{ error.source }}</bdi></code></p>
{% for text in error.detail %}<p><bdi>{{ text }}</bdi></p>{% endfor %}
{% if error.devices|length > 1 %}
<p class="dim">Devices:
{% for id in error.devices %}<code><bdi>{{ id }}</bdi></code> {% endfor %}</p>
{% endif %}
{% if error.fix %}<p><b>Fix:</b> {{ error.fix }}</p>{% endif %}
</div>
{% endfor %}
</div>
{{ more() }}
</section>
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
<section data-part>
<h2>Warnings: <span data-count>{{ counted(plan.warnings|length, "warning") }}</span></h2>
<details data-list{% if plan.warnings|length <= 20 %} open{% endif %}>
<summary>which warnings</summary>
<ul class="plain" data-entries>
{% for warning in plan.warnings %}
<li><code>{{ warning.code }}</code> {{ warning.message }}
<code class="dim"><bdi>{{ warning.source }}</bdi></code></li>
{% endfor %}
</ul></details>
{{ more() }}
</section>
{% endif %}
<div class="tools" id="tools" role="search" hidden>
<input type="search" id="find" placeholder="Find a device, label, field, value or file"
 aria-label="Find in this plan" aria-keyshortcuts="/" autocomplete="off" spellcheck="false">
{% for filter in filters %}
<select id="{{ filter.id }}" aria-label="{{ filter.title }}">
<option value="">{{ filter.title }}: all</option>
{% for option in filter.options %}
<option value="{{ option.value }}">{{ option.text }} ({{ number(option.count) }})</option>
{% endfor %}
</select>
{% endfor %}
<span class="dim" id="count" role="status"></span>
</div>
<p id="none" class="dim" hidden>Nothing fits. <kbd>Esc</kbd> clears the search and the filters.</p>
{% if plan.changes %}
{{ start("Changes", changed, "") }}
{{ blocks(plan.changes, false) }}
{% endif %}
{% if plan.drift %}
{{ start("Drift", drifted, "reported only, left as it is (onDrift: report)") }}
{{ blocks(plan.drift, true) }}
{% endif %}
{{ short("Gone", "the service knows no such registration", gone, "gone") -}}
{{ short("Unreadable", unreadable_means, unreadable, "unreadable") }}
{% if plan.proposals %}
<section data-part data-devices>
<h2>Back: <span data-count>{{ devices(plan.proposals|length) }}</span>
<small>gone, and perhaps installed again; only proposed, see <code>--write-patch</code></small></h2>
<ul class="plain" data-entries>
{% for one in plan.proposals %}
<li data-act="back" data-app="{{ apps[one.application] }}"><code>{{ one.id }}</code>
{% if one.replacement %}→ <code>{{ one.replacement }}</code> {% endif %}
<bdi>{{ one.label }}</bdi> <span class="dim"><bdi>{{ one.application }}</bdi>
<bdi>{{ one.source }}</bdi>: <bdi>{{ one.why }}</bdi></span></li>
{% endfor %}
</ul>
{{ more() }}
</section>
{% endif %}
{% if plan.not_looked_for %}
<p>{{ plan.not_looked_for }}</p>
{% endif %}
{{ short("Release", "left the files; forgotten, no call", released, "release") }}
{{ short("Adopt", "as declared already; apply only notes them", adopted, "adopt") }}
<footer><p>Digest <code>{{ plan.digest }}</code></p>
<p id="keys" hidden><kbd>/</kbd> search, <kbd>Esc</kbd> clear, <kbd>j</kbd> <kbd>k</kbd> next
and previous entry</p>
</footer>
</main>
<script>{{ script }}</script>
</body>
</html>
"""
