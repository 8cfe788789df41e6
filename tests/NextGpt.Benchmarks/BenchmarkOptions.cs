using System.Globalization;

namespace NextGpt.Benchmarks;

/// <summary>What the command line says.</summary>
internal sealed record BenchmarkOptions
{
    /// <summary>The usage text.</summary>
    public const string Usage = """
        Measures prompt reading and decoding of a GGUF model beside llama.cpp and the memory's bandwidth.
        With "networks" as the first word: the networks that read media and draw, sound and film ("networks --help" lists its options).
        With "preparation" as the first word: what turns files into the networks' input (--threads, --rounds).

          --threads 1,2     thread counts, one after the other (default: 1 and all cores)
          --rounds 5        rounds, engines taking turns in each (default 5)
          --model FILE      GGUF file (default: the embedded model)
          --cache FOLDER    where the llama.cpp package is kept (default: the user's local data folder)
          --no-llama-cpp    without the comparison
        """;

    /// <summary>Thread counts.</summary>
    public IReadOnlyList<int> Threads { get; init; } =
        Environment.ProcessorCount == 1 ? [1] : [1, Environment.ProcessorCount];

    /// <summary>Rounds.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>The model.</summary>
    public string Model { get; init; } =
        Path.Combine(AppContext.BaseDirectory, "Embedded", "SmolLM2-135M-Instruct.Q4_1.gguf");

    /// <summary>Where packages are kept.</summary>
    public string Cache { get; init; } = Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "nextgpt-benchmarks");

    /// <summary>Whether llama.cpp is measured.</summary>
    public bool WithLlamaCpp { get; init; } = true;

    /// <summary>Reads a command line.</summary>
    /// <exception cref="FormatException">It cannot be understood; the message says what.</exception>
    public static BenchmarkOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new BenchmarkOptions();
        for (var index = 0; index < arguments.Count; index++)
        {
            var name = arguments[index];
            if (name == "--no-llama-cpp")
            {
                options = options with { WithLlamaCpp = false };
                continue;
            }

            var value = ++index < arguments.Count ? arguments[index] : throw new FormatException($"{name} needs a value.");
            options = name switch
            {
                "--threads" => options with { Threads = [.. value.Split(',').Select(part => Number(name, part))] },
                "--rounds" => options with { Rounds = Number(name, value) },
                "--model" => options with { Model = value },
                "--cache" => options with { Cache = value },
                _ => throw new FormatException($"{name} is not known."),
            };
        }

        return options;
    }

    private static int Number(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1_024
            ? number
            : throw new FormatException($"{name} takes whole numbers from 1 to 1024, not '{value}'.");
}
