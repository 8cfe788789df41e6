using System.Buffers.Binary;
using System.Text;

namespace NextGpt.Model.Language;

/// <summary>Reads the <c>tokenizer.model</c> of a LLaMA or Vicuna checkpoint.</summary>
/// <remarks>
/// A protocol buffer (google/sentencepiece, sentencepiece_model.proto); of its fields only those that change the ids are
/// read, and a model whose ids we would get wrong is refused. Nothing the file says is trusted: lengths are checked.
/// </remarks>
internal static class SentencePieceTokenizerFile
{
    private const int MaxBytes = 64 << 20;

    /// <summary>The pieces of a file.</summary>
    /// <exception cref="InvalidDataException">Names the file and the problem.</exception>
    public static SentencePieceModel Read(string path)
    {
        var length = new FileInfo(path).Length;
        return length is > 0 and <= MaxBytes
            ? Parse(File.ReadAllBytes(path), Path.GetFileName(path))
            : throw new InvalidDataException(
                $"{Path.GetFileName(path)} has {length:N0} bytes; a SentencePiece model has 1 to {MaxBytes:N0}. Download it again.");
    }

    /// <summary>The pieces in the bytes of a file.</summary>
    internal static SentencePieceModel Parse(ReadOnlySpan<byte> bytes, string name)
    {
        try
        {
            var model = ParseModel(bytes);
            return model.Pieces.Count > 0
                ? model
                : throw new InvalidDataException("it holds no pieces");
        }
        catch (InvalidDataException failure)
        {
            throw new InvalidDataException(
                $"{name} is not a usable SentencePiece model: {failure.Message}. It must be the tokenizer.model of a LLaMA "
                + "or Vicuna checkpoint; download it again.",
                failure);
        }
    }

    private static SentencePieceModel ParseModel(ReadOnlySpan<byte> bytes)
    {
        var pieces = new List<SentencePiece>();
        var prefixSpace = true;
        var reader = new FieldReader(bytes);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    pieces.Add(ParsePiece(reader.Bytes));
                    break;
                case 2:
                    CheckTrainer(reader.Bytes);
                    break;
                case 3:
                    prefixSpace = ParseNormaliser(reader.Bytes);
                    break;
            }
        }

        return new SentencePieceModel(pieces, prefixSpace);
    }

    private static SentencePiece ParsePiece(ReadOnlySpan<byte> bytes)
    {
        var (text, score, kind) = ("", 0f, SentencePieceKind.Normal);
        var reader = new FieldReader(bytes);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    text = Encoding.UTF8.GetString(reader.Bytes);
                    break;
                case 2:
                    score = reader.Single;
                    break;
                case 3:
                    kind = (SentencePieceKind)reader.Number;
                    break;
            }
        }

        return new SentencePiece(text, score, kind);
    }

    private static void CheckTrainer(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 3 && reader.Number != 2)
            {
                throw new InvalidDataException($"its kind is {reader.Number}, only BPE (2) is read");
            }
        }
    }

    private static bool ParseNormaliser(ReadOnlySpan<byte> bytes)
    {
        var prefixSpace = true;
        var reader = new FieldReader(bytes);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2 when reader.Bytes.Length > 0:
                    throw new InvalidDataException("it rewrites characters before splitting, which no LLaMA model does");
                case 3:
                    prefixSpace = reader.Number != 0;
                    break;
                case 4 when reader.Number != 0:
                    throw new InvalidDataException("it removes repeated spaces, which no LLaMA model does");
                case 5 when reader.Number == 0:
                    throw new InvalidDataException("it does not escape spaces, which every LLaMA model does");
            }
        }

        return prefixSpace;
    }

    /// <summary>Walks the fields of one message.</summary>
    private ref struct FieldReader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public int Field { get; private set; }

        public ReadOnlySpan<byte> Bytes { get; private set; }

        public ulong Number { get; private set; }

        public float Single { get; private set; }

        public bool Next()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            var tag = Varint();
            Field = (int)(tag >> 3);
            Bytes = [];
            Number = 0;
            Single = 0;
            switch (tag & 7)
            {
                case 0:
                    Number = Varint();
                    break;
                case 1:
                    Take(8);
                    break;
                case 2:
                    var length = Varint();
                    Bytes = length <= (ulong)_rest.Length ? Take((int)length) : throw Damaged();
                    break;
                case 5:
                    Single = BinaryPrimitives.ReadSingleLittleEndian(Take(4));
                    break;
                default:
                    throw Damaged();
            }

            return true;
        }

        private ulong Varint()
        {
            var value = 0UL;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var next = Take(1)[0];
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }

            throw Damaged();
        }

        private ReadOnlySpan<byte> Take(int count)
        {
            if (count > _rest.Length)
            {
                throw Damaged();
            }

            var taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }

        private static InvalidDataException Damaged() => new("its fields are cut off or damaged");
    }
}

/// <summary>The content of a <c>tokenizer.model</c> that changes ids.</summary>
/// <param name="Pieces">Pieces by id.</param>
/// <param name="PrefixSpace">Whether a text gets a space before its first word.</param>
internal sealed record SentencePieceModel(IReadOnlyList<SentencePiece> Pieces, bool PrefixSpace);
