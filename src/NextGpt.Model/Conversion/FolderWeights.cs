using NextGpt.Model.Weights;

namespace NextGpt.Model.Conversion;

/// <summary>Finds and opens the checkpoint of a folder, whichever of the layouts it has.</summary>
internal static class FolderWeights
{
    private static readonly string[] Stems = ["model", "diffusion_pytorch_model"];
    private static readonly string[] HalfFiles =
    [
        "diffusion_pytorch_model.fp16.safetensors", "model.fp16.safetensors",
        "diffusion_pytorch_model.fp16.bin", "pytorch_model.fp16.bin",
    ];

    /// <summary>Whether there is one.</summary>
    public static bool AreIn(string folder) => SafetensorsIn(folder) || TorchPickleFolder.IsIn(folder)
        || HalfFiles.Any(file => File.Exists(Path.Combine(folder, file)));

    /// <summary>The one safetensors file of a folder, or null where there is none or more.</summary>
    public static string? SingleSafetensors(string folder) => Stems.Select(stem => Path.Combine(folder, $"{stem}.safetensors"))
        .Concat(HalfFiles.Take(2).Select(file => Path.Combine(folder, file)))
        .FirstOrDefault(file => File.Exists(file) && !File.Exists(file + ".index.json"));

    /// <summary>Opens it: safetensors before torch's own, full precision before half.</summary>
    /// <exception cref="InvalidDataException">There is none, or it is damaged.</exception>
    public static IStoredTensors Open(string folder)
    {
        if (SafetensorsIn(folder))
        {
            return SafetensorsFolder.Open(folder);
        }

        if (TorchPickleFolder.IsIn(folder))
        {
            return TorchPickleFolder.Open(folder);
        }

        return HalfFiles.Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists) is { } half
            ? OpenFile(half)
            : throw new InvalidDataException(
                $"{folder} holds no weights; {string.Join(" or ", Stems)} as .safetensors, or pytorch_model.bin, was expected.");
    }

    /// <summary>Opens one file by its first bytes.</summary>
    /// <exception cref="InvalidDataException">It is neither safetensors nor torch's, or damaged.</exception>
    public static IStoredTensors OpenFile(string file)
    {
        Span<byte> start = stackalloc byte[9];
        using (var handle = File.OpenHandle(file))
        {
            if (RandomAccess.Read(handle, start, 0) == start.Length && start[8] == (byte)'{' && start[7] == 0)
            {
                return SafetensorsFile.Open(file);
            }
        }

        return TorchPickleFile.Open(file);
    }

    private static bool SafetensorsIn(string folder) => Stems.Any(stem =>
        File.Exists(Path.Combine(folder, stem + ".safetensors")) || File.Exists(Path.Combine(folder, stem + ".safetensors.index.json")));
}
