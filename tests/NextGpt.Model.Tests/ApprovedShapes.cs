using TorchSharp;

namespace NextGpt.Model.Tests;

/// <summary>Compares a network's state with an approved list of <c>name [shape] trainable|frozen|buffer</c> lines (rule 7).</summary>
internal static class ApprovedShapes
{
    /// <param name="file">Path below the test project, also where the list lies in the output.</param>
    /// <param name="network">On the meta device if it is large.</param>
    public static void Check(string file, torch.nn.Module network)
    {
        var trainable = network.named_parameters().ToDictionary(
            named => named.name, named => named.parameter.requires_grad ? "trainable" : "frozen");
        var lines = network.state_dict()
            .Select(named => $"{named.Key} [{string.Join(", ", named.Value.shape)}] {trainable.GetValueOrDefault(named.Key, "buffer")}")
            .Order(StringComparer.Ordinal);
        var actual = string.Join('\n', lines) + "\n";
        var path = Path.Combine(AppContext.BaseDirectory, file);
        var approved = File.Exists(path) ? File.ReadAllText(path) : "";
        if (actual != approved)
        {
            var received = path.Replace(".approved.", ".received.", StringComparison.Ordinal);
            Directory.CreateDirectory(Path.GetDirectoryName(received)!);
            File.WriteAllText(received, actual);
        }

        Assert.Equal(approved, actual);
    }
}
