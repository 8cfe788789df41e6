namespace NextGpt.Server.Commands;

/// <summary>Reports progress on the thread that makes it; <see cref="Progress{T}"/> would post it out of order.</summary>
internal sealed class Watcher<T>(Action<T> watch) : IProgress<T>
{
    /// <inheritdoc/>
    public void Report(T value) => watch(value);
}
