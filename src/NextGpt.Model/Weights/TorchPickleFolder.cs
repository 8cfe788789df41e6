namespace NextGpt.Model.Weights;

/// <summary>The <c>.bin</c> checkpoint of a folder: one file, or several with an index, read as one source.</summary>
internal static class TorchPickleFolder
{
    private static readonly string[] Stems = ["pytorch_model", "diffusion_pytorch_model"];

    /// <summary>Whether the folder has such a checkpoint.</summary>
    public static bool IsIn(string folder) => Stems.Any(stem =>
        File.Exists(Path.Combine(folder, stem + ".bin")) || File.Exists(Path.Combine(folder, stem + ".bin.index.json")));

    /// <summary>Opens it.</summary>
    /// <exception cref="InvalidDataException">Names file, tensor and problem.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static IStoredTensors Open(string folder)
    {
        foreach (var stem in Stems)
        {
            var index = Path.Combine(folder, stem + ".bin.index.json");
            if (File.Exists(index))
            {
                return SafetensorsFolder.OpenShards(folder, index, TorchPickleFile.Open);
            }

            var single = Path.Combine(folder, stem + ".bin");
            if (File.Exists(single))
            {
                return TorchPickleFile.Open(single);
            }
        }

        throw new FileNotFoundException($"{folder} holds no .bin checkpoint; expected {string.Join(" or ", Stems)}.bin.");
    }
}
