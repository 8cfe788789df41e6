using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Language;
using static TorchSharp.torch;

namespace NextGpt.Model.Encoders;

/// <summary>Cuts texts into the tokens of <see cref="ImageBind"/>'s text tower. Thread-safe.</summary>
/// <remarks>
/// CLIP's byte pairs (Radford et al. 2021, section 2.4) behind a cleaning of the text: entities of HTML, curly quotes,
/// ligatures, wide letters, control characters, composed form, white space, lower case. Damaged encodings are not repaired
/// and of entities only those of HTML 4 are known, which is where it differs from the reference's cleaning. As there,
/// a start or end token written in a text becomes that token.
/// </remarks>
public sealed partial class ImageBindTokenizer
{
    // The file holds more merges than CLIP's vocabulary of 49,408 takes: 512 bytes and 2 special tokens are not made by any.
    private const int MostMerges = 49_408 - 512 - 2;

    private static readonly WordSplitter Splitter = WordSplitter.FromPattern(
        @"<\|startoftext\|>|<\|endoftext\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+");

    private readonly ClipTokenizer _pairs;

    /// <summary>Wraps CLIP's byte pairs.</summary>
    /// <param name="pairs">The vocabulary.</param>
    /// <param name="length">Ids of every text.</param>
    public ImageBindTokenizer(ClipTokenizer pairs, int length = 77)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        _pairs = pairs;
        Length = length;
    }

    /// <summary>Ids of every text, padding included.</summary>
    public int Length { get; }

    /// <summary>Reads a vocabulary.</summary>
    /// <param name="path">
    /// ImageBind's <c>bpe_simple_vocab_16e6.txt.gz</c> (packed or not), or a folder with <c>vocab.json</c> and
    /// <c>merges.txt</c> as Stable Diffusion has it: both hold the same vocabulary.
    /// </param>
    /// <exception cref="InvalidDataException">It is missing, damaged or no vocabulary; the message says what was expected.</exception>
    public static ImageBindTokenizer Load(string path)
    {
        if (Directory.Exists(path))
        {
            return new ImageBindTokenizer(ClipTokenizer.Load(path));
        }

        if (!File.Exists(path))
        {
            throw new InvalidDataException(
                $"{path} does not exist; bpe_simple_vocab_16e6.txt.gz, or a folder with vocab.json and merges.txt, was expected.");
        }

        try
        {
            using var file = File.OpenRead(path);
            using Stream content = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
                ? new GZipStream(file, CompressionMode.Decompress)
                : file;
            using var reader = new StreamReader(content, Encoding.UTF8);
            var merges = new List<(string Left, string Right)>(MostMerges);
            while (merges.Count < MostMerges && reader.ReadLine() is { } line)
            {
                if (line.Length > 0 && !line.Contains("#version", StringComparison.Ordinal))
                {
                    merges.Add(TokenizerJson.SplitMerge(line));
                }
            }

            return new ImageBindTokenizer(new ClipTokenizer(merges));
        }
        catch (Exception failure) when (failure is InvalidDataException or ArgumentException)
        {
            throw new InvalidDataException(
                $"{path} is no list of merges ({failure.Message.TrimEnd('.')}); two pieces per line, most frequent first, were expected.",
                failure);
        }
    }

    /// <summary>The ids of a text.</summary>
    /// <param name="text">Any text.</param>
    /// <returns><see cref="Length"/> ids: start, the text's (cut where there are too many), end, zeros.</returns>
    public long[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var clean = Clean(text);
        var row = new long[Length];
        row[0] = _pairs.StartToken;
        var at = 1;
        foreach (var range in Splitter.Split(clean))
        {
            var word = clean[range];
            if (string.IsNullOrWhiteSpace(word))
            {
                continue;
            }

            ReadOnlySpan<int> ids = word switch
            {
                ClipTokenizer.StartLiteral => [_pairs.StartToken],
                ClipTokenizer.EndLiteral => [_pairs.EndToken],
                _ => _pairs.Pieces(word),
            };
            foreach (var id in ids)
            {
                if (at == Length - 1)
                {
                    row[at] = _pairs.EndToken;
                    return row;
                }

                row[at++] = id;
            }
        }

        row[at] = _pairs.EndToken;
        return row;
    }

    /// <summary>The ids of several texts.</summary>
    /// <param name="texts">At least one.</param>
    /// <param name="device">Where the tensor shall lie; null is the CPU.</param>
    /// <returns>[batch, <see cref="Length"/>] int64, owned by the caller's dispose scope.</returns>
    public Tensor Encode(IReadOnlyList<string> texts, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfZero(texts.Count);
        return tensor([.. texts.SelectMany(Encode)], [texts.Count, Length], device: device);
    }

    /// <summary>The text as the vocabulary knows texts.</summary>
    internal static string Clean(string text)
    {
        text = AddedTokens.WellFormed(text);
        for (var before = ""; before != text && !text.Contains('<', StringComparison.Ordinal);)
        {
            before = text;
            text = WebUtility.HtmlDecode(text);   // a text with tags in it is HTML on purpose
        }

        text = Escapes().Replace(text, "");
        text = Compatible().Replace(text, match => match.Value == "ﬅ" ? "ſt" : match.Value.Normalize(NormalizationForm.FormKC));
        text = SingleQuotes().Replace(text, "'");
        text = DoubleQuotes().Replace(text, "\"");
        text = Controls().Replace(text, "").Normalize(NormalizationForm.FormC);
        text = WebUtility.HtmlDecode(WebUtility.HtmlDecode(text));
        return Lower(White().Replace(text, " ").Trim());
    }

    /// <summary>Lower case with the two rules that change with a letter's surroundings or length.</summary>
    private static string Lower(string text)
    {
        text = text.Replace("İ", "i\u0307", StringComparison.Ordinal);
        return FinalSigma().Replace(text, "ς").ToLowerInvariant();
    }

    [GeneratedRegex(@"\u001b\[[0-9;]*[a-zA-Z]")]
    private static partial Regex Escapes();

    // Ligatures of Latin letters, wide and narrow forms of letters and signs.
    [GeneratedRegex("[ĲĳŉǄ-ǌǱ-ǳﬀ-ﬆ\uff01-\uffef\u3000]")]
    private static partial Regex Compatible();

    [GeneratedRegex("[\u02bc\u2018-\u201b]")]
    private static partial Regex SingleQuotes();

    [GeneratedRegex("[\u201c-\u201f]")]
    private static partial Regex DoubleQuotes();

    [GeneratedRegex("[\u0000-\u0008\u000b\u000e-\u001f\u007f\u206a-\u206f\ufeff\ufff9-\ufffc]")]
    private static partial Regex Controls();

    [GeneratedRegex(@"\s+")]
    private static partial Regex White();

    [GeneratedRegex(@"(?<=\p{L})Σ(?!\p{L})")]
    private static partial Regex FinalSigma();
}
