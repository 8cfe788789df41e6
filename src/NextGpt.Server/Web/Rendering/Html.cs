using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace NextGpt.Server.Web.Rendering;

/// <summary>Markup that is safe to send. Made from interpolated strings whose holes are encoded (THR-2).</summary>
/// <remarks>
/// <c>Html.Of($"&lt;p&gt;{text}&lt;/p&gt;")</c> encodes <c>text</c>; a hole that is itself <see cref="Html"/> is taken as it
/// is. Attribute values are always written in double quotes, inside which the encoding holds too.
/// </remarks>
internal readonly record struct Html
{
    /// <summary>Letters of every script stay readable; what has a meaning in markup does not.</summary>
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    private readonly string? _markup;

    private Html(string markup) => _markup = markup;

    public static Html Empty => default;

    /// <summary>Markup from an interpolated string; every hole is encoded.</summary>
    public static Html Of(HtmlInterpolation markup) => new(markup.ToMarkup());

    /// <summary>Plain text, encoded.</summary>
    public static Html Text(string text) => new(Encoder.Encode(PlainText.Visible(text)));

    /// <summary>Markup that came out of the sanitiser.</summary>
    public static Html FromSanitiser(string markup) => new(markup);

    public static Html Join(IEnumerable<Html> pieces) => new(string.Concat(pieces.Select(piece => piece._markup)));

    public override string ToString() => _markup ?? "";
}

/// <summary>Collects an interpolated string for <see cref="Html.Of"/>.</summary>
[InterpolatedStringHandler]
internal readonly ref struct HtmlInterpolation(int literalLength, int formattedCount)
{
    private readonly StringBuilder _markup = new(literalLength + (formattedCount * 24));

    public void AppendLiteral(string literal) => _markup.Append(literal);

    public void AppendFormatted(Html html) => _markup.Append(html.ToString());

    public void AppendFormatted(IEnumerable<Html> pieces) => _markup.Append(Html.Join(pieces).ToString());

    public void AppendFormatted(string? text) => _markup.Append(Html.Text(text ?? "").ToString());

    public void AppendFormatted(long number) => _markup.Append(number.ToString(CultureInfo.InvariantCulture));

    public string ToMarkup() => _markup.ToString();
}
