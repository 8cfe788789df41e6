using System.Security.Cryptography;

namespace NextGpt.Model;

/// <summary>The language model that comes with the program: SmolLM2-135M-Instruct, Q4_1 (Apache-2.0, see NOTICE).</summary>
internal static class EmbeddedModel
{
    private const string File = "SmolLM2-135M-Instruct.Q4_1.gguf";
    private const string Sha256 = "B179C9523D0E6A0F98A330C7562B682750A6F8C8C15E5BC70EA373728110DB53";

    /// <summary>Where it lies beside the program.</summary>
    public static string Path => System.IO.Path.Combine(AppContext.BaseDirectory, "Embedded", File);

    /// <summary>What answers best; the figures are in tests/NextGpt.Model.Tests/Language/EmbeddedModelAnswers.md.</summary>
    public static ModelDefaults Defaults { get; } =
        new(new SamplingOptions { Temperature = 0 }, SystemText: "Answer in one short sentence.");

    /// <summary>Refuses a file of this name that is not, byte for byte, the one we ship.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static void Check(string path, CancellationToken cancellationToken = default)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
        }

        if (!hash.GetHashAndReset().AsSpan().SequenceEqual(Convert.FromHexString(Sha256)))
        {
            throw new InvalidDataException(
                $"{File} is damaged: its checksum is not that of the file we ship. Install the program again, or set "
                + "NextGpt:Model:Path to another model.");
        }
    }
}
