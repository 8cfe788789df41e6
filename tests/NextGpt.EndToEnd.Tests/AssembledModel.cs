using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.EndToEnd.Tests;

/// <summary>A converted package behind the registrations that a program uses, and files to send to it.</summary>
internal sealed class AssembledModel : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public AssembledModel(string package)
    {
        var services = new ServiceCollection();
        services.AddNextGptMedia(new MediaFileOptions());
        services.AddNextGptModel(new ModelOptions { Path = package, Device = "cpu", Threads = 1 });
        services.AddNextGpt("tiny");
        _services = services.BuildServiceProvider();
    }

    public IServiceProvider Services => _services;

    public IChatClient Client => _services.GetRequiredService<IChatClient>();

    public ModelThread Thread => _services.GetRequiredService<ModelThread>();

    /// <summary>A picture, a sound and an animated picture as files, with a question.</summary>
    public async Task<ChatMessage> QuestionAsync()
    {
        var writer = _services.GetRequiredService<IMediaWriter>();
        async Task<DataContent> FileOf(Medium medium)
        {
            var file = await writer.WriteAsync(medium, null);
            return new DataContent(file.Bytes, file.Format.MediaType);
        }

        return new ChatMessage(ChatRole.User,
        [
            new TextContent("look "), await FileOf(Picture(1)), new TextContent("and hear "), await FileOf(Sound()),
            new TextContent("and see "), await FileOf(new VideoClip { Frames = [Picture(2), Picture(3), Picture(4)], FramesPerSecond = 4 }),
        ]);
    }

    /// <summary>Few steps of small media, as far as the package leaves it open.</summary>
    public static ChatOptions Everything(long seed = 3) => new()
    {
        Seed = seed,
        MaxOutputTokens = 90,
        AdditionalProperties = new()
        {
            ["modalities"] = new[] { "text", "image", "audio", "video" },
            ["image_steps"] = 2,
            ["audio_steps"] = 2,
            ["audio_seconds"] = 0.3,
            ["video_steps"] = 2,
            ["video_frames"] = 2,
        },
    };

    /// <summary>The files of an answer as they are read again.</summary>
    public async Task<IReadOnlyList<(ReadMedium Medium, GenerationMark? Mark)>> ReadAsync(ChatResponse answer)
    {
        var reader = _services.GetRequiredService<IMediaReader>();
        List<(ReadMedium, GenerationMark?)> media = [];
        foreach (var data in answer.Messages.SelectMany(message => message.Contents).OfType<DataContent>())
        {
            media.Add((await reader.ReadAsync(data.Data), MediaMarks.Find(data.Data.Span)));
        }

        return media;
    }

    public static Picture Picture(int seed)
    {
        var pixels = new byte[40 * 30 * 3];
        new Random(seed).NextBytes(pixels);
        return new Picture(40, 30, pixels);
    }

    public static AudioClip Sound() => new()
    {
        SampleRateHz = 16_000,
        Channels = [[.. Enumerable.Range(0, 12_000).Select(i => MathF.Sin(i * 440 * MathF.Tau / 16_000) * 0.5f)]],
    };

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
