using System.ComponentModel;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using Microsoft.SemanticKernel.TextToAudio;
using Microsoft.SemanticKernel.TextToImage;

namespace NextGpt.Plugins.Media;

/// <summary>Functions that make pictures, sounds and clips and tell what is in them, for any model that calls tools.</summary>
/// <remarks>
/// They ask the kernel's services (<see cref="ITextToImageService"/>, <see cref="ITextToAudioService"/>,
/// <see cref="IChatCompletionService"/>) and hand media back as contents, never as base64 text. What they ask is asked
/// without tools, so that a model which draws by calling <c>draw</c> does not call itself.
/// </remarks>
/// <param name="serviceId">The services' key in the kernel; null takes its default ones.</param>
public sealed class MediaPlugin(string? serviceId = null)
{
    /// <summary>Draws a picture.</summary>
    /// <param name="kernel">Has the service.</param>
    /// <param name="description">What to draw.</param>
    /// <param name="seed">The same one gives the same picture; null draws one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A PNG with its caption, seed and size as metadata.</returns>
    /// <exception cref="ArgumentException">The description is blank.</exception>
    [KernelFunction("draw")]
    [Description(
        "Draws one picture from a description and shows it to the person. Call it whenever a picture, drawing, image, " +
        "photo, sketch or icon is wanted.")]
    [return: Description("The picture")]
    public async Task<ImageContent> DrawAsync(
        Kernel kernel,
        [Description("What the picture shows, in a few plain words, such as: a red apple on a table")] string description,
        [Description("A whole number; the same one gives the same picture. Leave it out unless a picture is to be repeated")]
        long? seed = null,
        CancellationToken cancellationToken = default)
    {
        ThrowIfBlank(description);
        var service = ServiceOf<ITextToImageService>(kernel);
        var images = await service.GetImageContentsAsync(
            new TextContent(description), Settings(seed, modality: null), kernel: null, cancellationToken);
        return images[0];
    }

    /// <summary>Makes a sound. It does not read words aloud: the model does not speak.</summary>
    /// <param name="kernel">Has the service.</param>
    /// <param name="description">What is to be heard.</param>
    /// <param name="seed">The same one gives the same sound; null draws one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A WAV with its caption, seed and length as metadata.</returns>
    /// <exception cref="ArgumentException">The description is blank.</exception>
    [KernelFunction("sound")]
    [Description(
        "Makes one short sound from a description and plays it to the person: animals, nature, machines, instruments. " +
        "Call it whenever something is to be heard. It cannot speak, read aloud or sing words.")]
    [return: Description("The sound")]
    public async Task<AudioContent> SoundAsync(
        Kernel kernel,
        [Description("What is to be heard, in a few plain words, such as: a dog barks twice")] string description,
        [Description("A whole number; the same one gives the same sound. Leave it out unless a sound is to be repeated")]
        long? seed = null,
        CancellationToken cancellationToken = default)
    {
        ThrowIfBlank(description);
        var service = ServiceOf<ITextToAudioService>(kernel);
        var sounds = await service.GetAudioContentsAsync(
            description, Settings(seed, modality: null), kernel: null, cancellationToken);
        return sounds[0];
    }

    /// <summary>Makes a clip of a few seconds, without sound.</summary>
    /// <param name="kernel">Has the chat service; there is no service for clips alone.</param>
    /// <param name="description">What happens in it.</param>
    /// <param name="seed">The same one gives the same clip; null draws one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>An MP4 or animated WebP with its caption, seed, size and length as metadata.</returns>
    /// <exception cref="ArgumentException">The description is blank.</exception>
    /// <exception cref="InvalidOperationException">The model answered without a clip.</exception>
    [KernelFunction("film")]
    [Description(
        "Makes one short moving clip, silent and a few seconds long, from a description and shows it to the person. " +
        "Call it whenever a video, clip, film, animation or something moving is wanted.")]
    [return: Description("The clip")]
    public async Task<BinaryContent> FilmAsync(
        Kernel kernel,
        [Description("What happens in the clip, in a few plain words, such as: a ball bounces")] string description,
        [Description("A whole number; the same one gives the same clip. Leave it out unless a clip is to be repeated")]
        long? seed = null,
        CancellationToken cancellationToken = default)
    {
        ThrowIfBlank(description);
        var answer = await AskAsync(kernel, [new TextContent(description)], Settings(seed, "video"), cancellationToken);
        return answer.Items.OfType<BinaryContent>().FirstOrDefault(item => item is not (ImageContent or AudioContent))
            ?? throw new InvalidOperationException("The model answered without making a clip; ask again.");
    }

    /// <summary>Tells in words what is in a file of the conversation.</summary>
    /// <param name="kernel">Has the chat service, and the files (<see cref="AttachedFiles"/>).</param>
    /// <param name="file">The file's name.</param>
    /// <param name="question">What to find out; null or blank asks for a description.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The answer; or, where there is no such file, a sentence that names those there are.</returns>
    [KernelFunction("describe")]
    [Description(
        "Looks at a picture or clip, or listens to a sound, that is part of this conversation, and tells in words what " +
        "is in it. Call it whenever a question is about an attached file.")]
    [return: Description("What is in the file, in words")]
    public async Task<string> DescribeAsync(
        Kernel kernel,
        [Description("The name of the file, such as: photo.png")] string file,
        [Description("What is to be found out, such as: what colour is the car? Leave it out for a description")]
        string? question = null,
        CancellationToken cancellationToken = default)
    {
        var files = AttachedFiles.Of(kernel);
        if (!files.TryGetValue(file?.Trim() ?? "", out var medium))
        {
            // A sentence and no exception: the model reads it and can name another.
            return files.Count == 0
                ? "No file is attached to this conversation; ask the person to attach one."
                : $"There is no file called \"{file}\"; there are: {string.Join(", ", files.Keys)}.";
        }

        var words = !string.IsNullOrWhiteSpace(question) ? question
            : medium is AudioContent ? "What do you hear?"
            : medium is ImageContent ? "What is in this picture?"
            : "What happens in this clip?";
        var answer = await AskAsync(
            kernel, [medium, new TextContent(words)], Settings(seed: null, "text"), cancellationToken);
        return answer.Content ?? "";
    }

    private async Task<ChatMessageContent> AskAsync(
        Kernel kernel, ChatMessageContentItemCollection question, PromptExecutionSettings settings,
        CancellationToken cancellationToken)
    {
        ChatHistory history = [new ChatMessageContent(AuthorRole.User, question)];
        var answers = await ServiceOf<IChatCompletionService>(kernel)
            .GetChatMessageContentsAsync(history, settings, kernel: null, cancellationToken);
        return answers[^1];
    }

    private T ServiceOf<T>(Kernel kernel)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(kernel);
        return kernel.GetRequiredService<T>(serviceId);
    }

    private static PromptExecutionSettings Settings(long? seed, string? modality)
    {
        var values = new Dictionary<string, object>();
        if (seed is { } number)
        {
            values["seed"] = number;
        }

        if (modality is not null)
        {
            values["modalities"] = modality;
        }

        return new PromptExecutionSettings { ExtensionData = values };
    }

    private static void ThrowIfBlank(string description)
    {
        if (string.IsNullOrWhiteSpace(description))
        {
            throw new ArgumentException("The description is empty; say in a few words what is wanted.", nameof(description));
        }
    }
}
