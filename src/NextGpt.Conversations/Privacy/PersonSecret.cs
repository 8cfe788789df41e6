using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NextGpt.Conversations.Files;

namespace NextGpt.Conversations.Privacy;

/// <summary>
/// The key of the keyed hashes by which the log knows people, messages and mentioned names (PRI-9): HMAC-SHA256, the first
/// 128 bits, with a different label for each use so that no two of them can be compared.
/// </summary>
internal sealed class PersonSecret
{
    private const int Size = 32;
    private readonly byte[] _key;

    private PersonSecret(byte[] key) => _key = key;

    /// <summary>A key that is written nowhere, for as long as the disk cannot be used.</summary>
    public static PersonSecret Fleeting() => new(RandomNumberGenerator.GetBytes(Size));

    /// <summary>Reads the key file, or makes it with mode 0600.</summary>
    /// <exception cref="InvalidDataException">Others may read it, or it is damaged.</exception>
    public static PersonSecret Open(IFileLayer files, string path)
    {
        if (!files.FileExists(path))
        {
            files.Write(path, RandomNumberGenerator.GetBytes(Size));
        }

        if (!files.IsOwnerOnly(path))
        {
            throw new InvalidDataException(
                $"{Path.GetFileName(path)} in the log's folder can be read by others; set its mode to 0600 (chmod 600).");
        }

        var key = files.Read(path, 4096);
        return key.Length == Size
            ? new PersonSecret(key)
            : throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture,
                $"{Path.GetFileName(path)} in the log's folder has {key.Length} bytes, {Size} are expected; restore it from a backup: without it nobody's turns can be found."));
    }

    /// <summary>The key of a person.</summary>
    public PersonKey PersonOf(string surface, string platformUserId) =>
        new(Hash("person", surface, platformUserId).ToString("x32", CultureInfo.InvariantCulture));

    /// <summary>The hash of a message key.</summary>
    public UInt128 MessageOf(string messageKey) => Hash("message", messageKey, "");

    /// <summary>The hash of a message or place of a platform.</summary>
    public UInt128 LinkOf(string surface, TurnLinkKind kind, string id) =>
        Hash(string.Create(CultureInfo.InvariantCulture, $"link {(int)kind}"), surface, id);

    /// <summary>
    /// A pseudonym for a mentioned name, the same throughout one conversation and different in any other: six letters
    /// from a to p, four bits each. Digits would look like a phone number to the next redaction.
    /// </summary>
    public string PseudonymOf(string conversationId, string name)
    {
        var hash = Hash("mention", conversationId, name.ToUpperInvariant());
        return "person-" + string.Create(6, hash, static (letters, bits) =>
        {
            foreach (ref var letter in letters)
            {
                letter = (char)('a' + (int)(bits & 15));
                bits >>= 4;
            }
        });
    }

    private UInt128 Hash(string label, string first, string second)
    {
        // Lengths come first, so that ("a", "bc") and ("ab", "c") differ.
        var text = string.Create(CultureInfo.InvariantCulture, $"{label}\0{first.Length}\0{first}\0{second}");
        Span<byte> hash = stackalloc byte[32];
        HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(text), hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
