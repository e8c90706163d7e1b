"""The style of the page of html: light and dark, narrow and wide, paper."""

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
h1 { font-size: 1.35rem; line-height: 1.35; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
h2 small, .dim { color: var(--dim); font-weight: normal; }
code, .values td, .id { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  font-size: .86rem; overflow-wrap: anywhere; }
.facts { color: var(--dim); margin: 0; font-size: .86rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
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
.tools { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center;
  position: sticky; top: 0; background: var(--back); padding: .7rem 0; margin-top: 1.5rem;
  border-bottom: 1px solid var(--line); z-index: 1; }
.tools input, .tools select, button { padding: .4rem .6rem; font: inherit; font-size: .9rem;
  color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 6px;
  min-width: 0; }
.tools input { flex: 1 1 16rem; }
.tools select { flex: 0 1 auto; max-width: 14rem; text-overflow: ellipsis; }
.tools select:has(option:not([value=""]):checked) { border-color: var(--link); }
.tools span { flex: 0 0 auto; min-width: 8rem; text-align: right;
  font-variant-numeric: tabular-nums; font-size: .9rem; }
button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
article { border: 1px solid var(--line); border-radius: 6px; background: var(--card);
  margin: .6rem 0; content-visibility: auto; contain-intrinsic-size: auto 7rem; }
article header { display: flex; flex-wrap: wrap; gap: .1rem .8rem; align-items: baseline;
  padding: .5rem .8rem; }
article header b { overflow-wrap: anywhere; }
.where { margin-left: auto; color: var(--dim); }
.values { table-layout: fixed; }
.values td { width: 24%; }
.values td:first-child { width: 1.9rem; text-align: center; font-weight: 700; }
.values td:nth-child(2) { width: 26%; }
.values td:nth-child(3) { color: var(--dim); }
.values td:nth-child(5) { width: auto; }
.add td:first-child, .add td:nth-child(4) { color: var(--add); }
.remove td:first-child, .remove td:nth-child(3) { color: var(--remove); }
.change td:first-child, .change td:nth-child(4) { color: var(--change); }
.members { padding: .4rem .8rem; border-top: 1px solid var(--line); color: var(--dim); }
.members ul, .plain { margin: .3rem 0; padding-left: 1.2rem; }
.members ul { columns: 30rem; }
li { overflow-wrap: anywhere; break-inside: avoid; }
summary { cursor: pointer; }
/* A cell is a bidi world of its own; elsewhere bdi is. */
td { unicode-bidi: isolate; }
[hidden] { display: none !important; }
footer { margin-top: 3rem; color: var(--dim); font-size: .82rem; overflow-wrap: anywhere; }
kbd { font: .8rem ui-monospace, Menlo, Consolas, monospace; border: 1px solid var(--line);
  border-radius: 3px; padding: 0 .3rem; }
@media (max-width: 44rem) {
  main { padding: 1rem .8rem 3rem; }
  h1 { font-size: 1.15rem; }
  .where { margin-left: 0; width: 100%; }
  .tools { gap: .35rem; padding: .5rem 0; }
  .tools input { flex: 1 1 100%; font-size: 16px; }
  .tools select { flex: 1 1 0; max-width: none; }
  .tools span { flex: 1 1 100%; text-align: left; font-size: .8rem; }
  .values, .values tbody { display: block; }
  .values tr { display: grid; grid-template-columns: 1.9rem minmax(0, 1fr);
    border-top: 1px solid var(--line); padding: .3rem 0; }
  .values td { width: auto; border: 0; padding: .05rem .6rem; grid-column: 2; }
  .values td:first-child { grid-column: 1; }
  .values td:nth-child(2), .values td:nth-child(5) { width: auto; }
  .values td:empty { display: none; }
  .change td:nth-child(4)::before, .remove td:nth-child(4)::before {
    content: "→ "; color: var(--dim); }
}
@media print {
  .tools, .more, kbd { display: none; }
  article { content-visibility: visible; break-inside: avoid; }
}
"""
