using Ganss.Xss;
using Markdig;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace NextGpt.Server.Web.Rendering;

/// <summary>
/// A model's Markdown as markup that loads nothing by itself (WEB-6). Two walls: the Markdown reader passes no markup
/// through, and what it makes goes through a sanitiser that knows a short list of elements. Thread-safe.
/// </summary>
internal sealed class AnswerRenderer
{
    private readonly MarkdownPipeline _pipeline = new MarkdownPipelineBuilder()
        .DisableHtml()
        .UsePipeTables()
        .UseEmphasisExtras(Markdig.Extensions.EmphasisExtras.EmphasisExtraOptions.Strikethrough)
        .UseSoftlineBreakAsHardlineBreak()
        .Build();

    private readonly HtmlSanitizer _sanitiser = NewSanitiser();

    /// <summary>Each top-level block of the text as markup, in order, before the sanitiser.</summary>
    internal IReadOnlyList<string> ToRawBlocks(string markdown)
    {
        var text = PlainText.Visible(markdown);
        try
        {
            return [.. Markdown.Parse(text, _pipeline).Select(RenderBlock).Where(block => block.Length > 0)];
        }
        catch (ArgumentException)   // nested deeper than the reader follows: show it as it is
        {
            return [Html.Of($"<p>{text}</p>").ToString()];
        }
    }

    /// <summary>A raw block that may be shown.</summary>
    internal Html Sanitise(string rawBlock) => Html.FromSanitiser(_sanitiser.Sanitize(rawBlock));

    /// <summary>The whole text, each block in its own element.</summary>
    public Html Render(string markdown) =>
        Html.Join(ToRawBlocks(markdown).Select(block => Html.Of($"<div class=\"block\">{Sanitise(block)}</div>")));

    private string RenderBlock(Block block)
    {
        using var writer = new StringWriter();
        var renderer = new HtmlRenderer(writer);
        _pipeline.Setup(renderer);
        UseOwnRenderers(renderer);
        renderer.Render(block);
        return writer.ToString().Trim();
    }

    private static HtmlSanitizer NewSanitiser()
    {
        var sanitiser = new HtmlSanitizer(new HtmlSanitizerOptions
        {
            AllowedTags = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
            {
                "p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "div", "span",
                "table", "thead", "tbody", "tr", "th", "td", "a",
            },
            AllowedAttributes = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
            {
                "href", "rel", "target", "class", "start", "tabindex",
            },
            AllowedSchemes = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "https", "http", "mailto" },
            UriAttributes = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "href" },
        });
        sanitiser.AllowedClasses.UnionWith(["address", "unloaded", "code", "scroll", "minor"]);
        return sanitiser;
    }

    private static void UseOwnRenderers(HtmlRenderer renderer)
    {
        renderer.ObjectRenderers.Replace<Markdig.Renderers.Html.Inlines.LinkInlineRenderer>(new PlainLinkRenderer());
        renderer.ObjectRenderers.Replace<Markdig.Renderers.Html.Inlines.AutolinkInlineRenderer>(new PlainAutolinkRenderer());
        renderer.ObjectRenderers.Replace<HeadingRenderer>(new AnswerHeadingRenderer());
        renderer.ObjectRenderers.Replace<CodeBlockRenderer>(new PlainCodeRenderer());
        renderer.ObjectRenderers.Insert(0, new ScrollingTableRenderer());
    }

    /// <summary>The address as ASCII, or null if it is not one a person may follow.</summary>
    private static string? FollowableAddress(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "mailto"
            ? uri.Scheme == "mailto" ? uri.AbsoluteUri
                : new UriBuilder(uri) { Host = uri.IdnHost, UserName = "", Password = "" }.Uri.AbsoluteUri
            : null;

    private static void WriteAnchor(HtmlRenderer renderer, string address, Action<HtmlRenderer> writeText)
    {
        renderer.Write("<a rel=\"noopener noreferrer nofollow\" target=\"_blank\" href=\"");
        renderer.WriteEscape(address).Write("\">");
        writeText(renderer);
        renderer.Write("</a>");
    }

    private static string TextOf(ContainerInline inline) =>
        string.Concat(inline.Descendants<LiteralInline>().Select(literal => literal.Content.ToString()));

    /// <summary>Links show where they lead; images are named, never loaded.</summary>
    private sealed class PlainLinkRenderer : HtmlObjectRenderer<LinkInline>
    {
        protected override void Write(HtmlRenderer renderer, LinkInline link)
        {
            var address = FollowableAddress(link.GetDynamicUrl?.Invoke() ?? link.Url);
            if (link.IsImage)
            {
                renderer.Write("<span class=\"unloaded\">Picture not loaded: ").WriteEscape(TextOf(link));
                if (address is not null)
                {
                    renderer.Write(" (");
                    WriteAnchor(renderer, address, inner => inner.WriteEscape(address));
                    renderer.Write(")");
                }

                renderer.Write("</span>");
                return;
            }

            if (address is null)
            {
                renderer.WriteChildren(link);
                return;
            }

            WriteAnchor(renderer, address, inner => inner.WriteChildren(link));
            if (TextOf(link).TrimEnd('/') != address.TrimEnd('/'))
            {
                renderer.Write(" <span class=\"address\">(").WriteEscape(address).Write(")</span>");
            }
        }
    }

    private sealed class PlainAutolinkRenderer : HtmlObjectRenderer<AutolinkInline>
    {
        protected override void Write(HtmlRenderer renderer, AutolinkInline link)
        {
            var address = FollowableAddress(link.IsEmail ? "mailto:" + link.Url : link.Url);
            if (address is null)
            {
                renderer.WriteEscape(link.Url);
                return;
            }

            WriteAnchor(renderer, address, inner => inner.WriteEscape(link.IsEmail ? link.Url : address));
        }
    }

    /// <summary>An answer's headings stand below the page's own.</summary>
    private sealed class AnswerHeadingRenderer : HtmlObjectRenderer<HeadingBlock>
    {
        protected override void Write(HtmlRenderer renderer, HeadingBlock heading)
        {
            renderer.Write(heading.Level <= 2 ? "<h3>" : "<h3 class=\"minor\">");
            renderer.WriteLeafInline(heading);
            renderer.Write("</h3>");
        }
    }

    private sealed class PlainCodeRenderer : HtmlObjectRenderer<CodeBlock>
    {
        protected override void Write(HtmlRenderer renderer, CodeBlock code)
        {
            renderer.Write("<div class=\"code\"><pre tabindex=\"0\"><code>");
            renderer.WriteLeafRawLines(code, writeEndOfLines: true, escape: true);
            renderer.Write("</code></pre></div>");
        }
    }

    private sealed class ScrollingTableRenderer : HtmlObjectRenderer<Markdig.Extensions.Tables.Table>
    {
        private readonly Markdig.Extensions.Tables.HtmlTableRenderer _inner = new();

        protected override void Write(HtmlRenderer renderer, Markdig.Extensions.Tables.Table table)
        {
            renderer.Write("<div class=\"scroll\" tabindex=\"0\">");
            _inner.Write(renderer, table);
            renderer.Write("</div>");
        }
    }
}
