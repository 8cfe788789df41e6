namespace NextGpt.Benchmarks;

/// <summary>One of the engines that are compared, with its threads and one sequence.</summary>
internal interface IEngine : IDisposable
{
    /// <summary>The row's name.</summary>
    string Name { get; }

    /// <summary>Threads it computes with.</summary>
    int Threads { get; }

    /// <summary>Empties the sequence.</summary>
    void Reset();

    /// <summary>Reads tokens and computes the logits after the last one.</summary>
    void Read(int[] tokens);

    /// <summary>The likeliest token after the last read.</summary>
    int Likeliest();
}
