using System.Text;

namespace NextGpt.Model.Language;

/// <summary>Turns tokens into text as they come: whole characters only, the rest held back until it is complete.</summary>
/// <remarks>Bytes that can no longer become a character are given as U+FFFD, as <see cref="ITokenizer.Decode"/> does.</remarks>
internal sealed class TokenTextStream(ITokenizer tokenizer)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private bool _atStart = tokenizer.AddsPrefixSpace;

    /// <summary>The text that is complete with this token; possibly empty.</summary>
    public string Add(int token) => Convert(tokenizer.BytesOf(token), flush: false);

    /// <summary>What was held back and never became whole.</summary>
    public string End() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        if (_atStart && !bytes.IsEmpty)
        {
            _atStart = false;
            bytes = bytes[0] == ' ' ? bytes[1..] : bytes;
        }

        var characters = new char[_decoder.GetCharCount(bytes, flush)];
        return new string(characters, 0, _decoder.GetChars(bytes, characters, flush));
    }
}
