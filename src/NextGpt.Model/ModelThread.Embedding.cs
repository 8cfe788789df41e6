using NextGpt.Media;

namespace NextGpt.Model;

/// <content>Media as places in the encoder's space.</content>
public sealed partial class ModelThread
{
    /// <inheritdoc/>
    public IReadOnlyList<MediaKind> Embeds => Abilities.Reads;

    /// <inheritdoc/>
    public int? Dimensions => Abilities.EmbeddingSize;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<float[]>> EmbedAsync(IReadOnlyList<Medium> media, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(media);
        cancellationToken.ThrowIfCancellationRequested();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        var work = new EmbeddingWork(this, media, stop.Token);
        ThrowIfFull(Enqueue(work, bounded: true));
        using var leaving = stop.Token.Register(() =>
        {
            _queue.Remove(work);
            work.Fail(new OperationCanceledException(stop.Token));
        });
        return await work.Places;
    }

    /// <summary>Looks at media, one after the other.</summary>
    private sealed class EmbeddingWork(ModelThread owner, IReadOnlyList<Medium> media, CancellationToken stop) : ModelWork
    {
        private readonly TaskCompletionSource<IReadOnlyList<float[]>> _places = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<IReadOnlyList<float[]>> Places => _places.Task;

        public override void Run()
        {
            stop.ThrowIfCancellationRequested();
            var encoder = owner.Loaded(again: false).Media;
            var places = new List<float[]>(media.Count);
            foreach (var medium in media)
            {
                stop.ThrowIfCancellationRequested();
                places.Add(encoder is { } reads && reads.Abilities.Reads.Contains(medium.Kind)
                    ? reads.Place(medium)
                    : throw new GenerationRefusedException(
                        GenerationRefusal.InvalidRequest,
                        $"This model does not embed {MediaWords.Many(medium.Kind)}; use a model package whose encoder reads them."));
            }

            _places.TrySetResult(places);
        }

        public override void Fail(Exception failure)
        {
            if (failure is OperationCanceledException cancelled)
            {
                _places.TrySetCanceled(cancelled.CancellationToken);
            }
            else
            {
                _places.TrySetException(failure);
            }
        }
    }
}
