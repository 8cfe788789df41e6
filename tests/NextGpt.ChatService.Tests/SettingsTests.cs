using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests;

/// <summary>Settings: cases 11 to 19 of the connector contract.</summary>
public sealed class SettingsTests
{
    /// <summary>Each setting that an any-to-any model honours: its name, a value, and what of it reaches the model.</summary>
    private static readonly (string Name, object Value, Func<GenerationRequest, object?> Reached)[] Honoured =
    [
        ("temperature", 0.7, request => request.Sampling.Temperature),
        ("top_p", 0.85, request => request.Sampling.TopP),
        ("top_k", 40, request => request.Sampling.TopK),
        ("min_p", 0.05, request => request.Sampling.MinP),
        ("repetition_penalty", 1.1, request => request.Sampling.RepetitionPenalty),
        ("frequency_penalty", 0.3, request => request.Sampling.FrequencyPenalty),
        ("presence_penalty", -0.4, request => request.Sampling.PresencePenalty),
        ("max_tokens", 12, request => request.MaxTokens),
        ("seed", 9_007_199_254_740_993, request => request.Seed),
        ("stop_sequences", new[] { "END", "###" }, request => request.StopSequences.ToArray()),
        ("chat_system_prompt", "Be brief.", request =>
            request.Messages[0].Role == PromptRole.System ? ScriptedGenerator.Text(request.Messages[0]) : null),
        ("adapter", "2026-11-02", request => request.Adapter),
        ("conversation_key", "c-17", request => request.ConversationKey),
        ("modalities", new[] { "video", "text" }, request => request.Media is { Text: true } media
            ? [.. media.Required.Select(kind => kind.ToString().ToLowerInvariant()), "text"] : Array.Empty<string>()),
        ("forbidden_modalities", new[] { "image", "audio" }, request =>
            request.Media?.Forbidden.Select(kind => kind.ToString().ToLowerInvariant()).ToArray()),
        ("image_steps", 12, request => request.Media?.ImageSteps),
        ("image_guidance", 4.5, request => request.Media?.ImageGuidance),
        ("image_width", 64, request => request.Media?.ImageWidth),
        ("image_height", 128, request => request.Media?.ImageHeight),
        ("audio_steps", 13, request => request.Media?.AudioSteps),
        ("audio_seconds", 2.5, request => request.Media?.AudioSeconds),
        ("video_steps", 14, request => request.Media?.VideoSteps),
        ("video_frames", 16, request => request.Media?.VideoFrames),
    ];

    public static TheoryData<string, bool> HonouredNames
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var (name, _, _) in Honoured)
            {
                data.Add(name, false);
                data.Add(name, true);
            }

            return data;
        }
    }

    private static readonly string[] MediaNames =
    [
        "image_steps", "image_guidance", "image_width", "image_height", "audio_steps", "audio_seconds", "video_steps",
        "video_frames",
    ];

    [Fact]
    public void Case_11_null_gives_settings_with_nothing_set_and_own_settings_are_returned_as_they_are()
    {
        var settings = NextGptPromptExecutionSettings.FromExecutionSettings(null);
        Assert.All(SettableProperties(), property => Assert.Null(property.GetValue(settings)));
        Assert.Same(settings, NextGptPromptExecutionSettings.FromExecutionSettings(settings));
    }

    [Theory]
    [InlineData("number")]
    [InlineData("string")]
    [InlineData("json")]
    [InlineData("upper")]
    public void Case_12_extension_data_arrives_as_number_string_json_and_in_any_case(string form)
    {
        var data = new Dictionary<string, object>();
        foreach (var (name, value) in new (string, object)[]
        {
            ("temperature", 0.25), ("top_k", 3), ("seed", 12L), ("max_tokens", 5), ("image_guidance", 7.5),
        })
        {
            data[form == "upper" ? name.ToUpperInvariant() : name] = form switch
            {
                "string" => FormattableString.Invariant($"{value}"),
                "json" => JsonSerializer.SerializeToElement(value),
                _ => value,
            };
        }

        var settings = NextGptPromptExecutionSettings.FromExecutionSettings(
            new PromptExecutionSettings { ExtensionData = data });

        Assert.Equal(0.25, settings.Temperature);
        Assert.Equal(3, settings.TopK);
        Assert.Equal(12, settings.Seed);
        Assert.Equal(5, settings.MaxTokens);
        Assert.Equal(7.5, settings.ImageGuidance);
        Assert.Null(settings.TopP);
    }

    [Fact]
    public void Case_12_lists_arrive_as_list_and_as_one_string()
    {
        var settings = FromData(("modalities", "text"), ("stop_sequences", new List<string> { "a", "b" }));
        Assert.Equal(["text"], settings.Modalities);
        Assert.Equal(["a", "b"], settings.StopSequences);
        Assert.Equal(["text", "image"], FromData(("modalities", new[] { "text", "image" })).Modalities);
        Assert.Equal("text", FromData(("response_format", "text")).ResponseFormat);
    }

    [Fact]
    public async Task Case_12_a_prompt_file_carries_our_names()
    {
        using var chat = ToyChat.Saying("Hi.");
        var prompt = PromptTemplateConfig.FromJson(
            """
            {
              "template": "Say hello.",
              "execution_settings": {
                "default": { "temperature": 0.1, "max_tokens": "9", "stop_sequences": ["END"], "seed": 5 }
              }
            }
            """);

        await chat.Kernel.InvokeAsync(KernelFunctionFactory.CreateFromPrompt(prompt));

        Assert.Equal(0.1, chat.Model.Asked.Sampling.Temperature);
        Assert.Equal(9, chat.Model.Asked.MaxTokens);
        Assert.Equal(["END"], chat.Model.Asked.StopSequences);
        Assert.Equal(5, chat.Model.Asked.Seed);
    }

    [Fact]
    public void Case_12_another_connectors_settings_are_read_by_their_json_names()
    {
        var settings = NextGptPromptExecutionSettings.FromExecutionSettings(
            new OtherConnectorSettings { Warmth = 0.6, MaxTokens = 77 });

        Assert.Equal(0.6, settings.Temperature);
        Assert.Equal(77, settings.MaxTokens);
    }

    [Theory]
    [InlineData("temperature", "warm")]
    [InlineData("temperature", true)]
    [InlineData("max_tokens", 1.5)]
    [InlineData("seed", "x")]
    [InlineData("stop_sequences", 3)]
    [InlineData("modalities", false)]
    [InlineData("adapter", 4)]
    public void Case_13_a_value_of_the_wrong_type_throws_and_names_the_setting(string name, object value)
    {
        var thrown = Assert.Throws<JsonException>(() => FromData((name, value)));
        Assert.Contains(name, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Case_13_unset_stays_unset_and_is_not_written()
    {
        Assert.Null(FromData(("top_p", JsonSerializer.SerializeToElement<string?>(null))).TopP);

        var json = JsonSerializer.SerializeToElement(new NextGptPromptExecutionSettings { TopK = 4 });
        var written = json.EnumerateObject().Select(property => property.Name).ToHashSet();
        Assert.Contains("top_k", written);
        Assert.Empty(written.Intersect(NextGptPromptExecutionSettings.Names).Except(["top_k"]));
    }

    [Fact]
    public void Case_14_function_choice_service_id_and_model_id_survive_conversion()
    {
        var behavior = FunctionChoiceBehavior.Auto(
            [KernelFunctionFactory.CreateFromMethod(() => "noon", "time")], autoInvoke: false);
        var settings = NextGptPromptExecutionSettings.FromExecutionSettings(
            new PromptExecutionSettings { FunctionChoiceBehavior = behavior, ServiceId = "one", ModelId = "toy" });

        Assert.Same(behavior, settings.FunctionChoiceBehavior);
        Assert.Equal("one", settings.ServiceId);
        Assert.Equal("toy", settings.ModelId);
    }

    [Fact]
    public void Case_15_a_clone_has_every_property_and_is_independent()
    {
        var settings = Full();
        settings.Freeze();

        var clone = Assert.IsType<NextGptPromptExecutionSettings>(settings.Clone());

        Assert.False(clone.IsFrozen);
        foreach (var property in SettableProperties())
        {
            Assert.NotNull(property.GetValue(settings));
            Assert.Equal(property.GetValue(settings), property.GetValue(clone));
        }

        clone.StopSequences!.Add("more");
        clone.Modalities!.Add("image");
        clone.ExtensionData!["more"] = 1;
        clone.Temperature = 2;
        Assert.Equal(["END"], settings.StopSequences);
        Assert.Equal(["text"], settings.Modalities);
        Assert.DoesNotContain("more", settings.ExtensionData!);
        Assert.Equal(0.5, settings.Temperature);
    }

    [Fact]
    public void Case_15_frozen_settings_refuse_every_setter_and_nested_lists()
    {
        var settings = Full();
        settings.Freeze();
        settings.Freeze();

        foreach (var property in SettableProperties())
        {
            var thrown = Assert.Throws<TargetInvocationException>(
                () => property.SetValue(settings, property.GetValue(settings)));
            Assert.IsType<InvalidOperationException>(thrown.InnerException);
        }

        Assert.Throws<NotSupportedException>(() => settings.StopSequences!.Add("x"));
        Assert.Throws<NotSupportedException>(() => settings.Modalities!.Add("x"));
        Assert.Throws<NotSupportedException>(() => settings.ExtensionData!.Add("x", 1));
    }

    [Theory]
    [MemberData(nameof(HonouredNames))]
    public async Task Case_16_every_setting_reaches_the_model_whole_and_streaming(string name, bool streaming)
    {
        var (_, value, reached) = Honoured.Single(setting => setting.Name == name);
        using var chat = new ToyChat(ScriptedArtist.Create());

        await chat.AskAsync(Question(), streaming: streaming);
        Assert.NotEqual(value, reached(chat.Model.Asked));

        await chat.AskAsync(Question(), FromData((name, value)), streaming);
        Assert.Equal(value, reached(chat.Model.Asked));
    }

    [Fact]
    public void Case_16_and_no_setting_is_missing_from_that_list()
    {
        Assert.Equal(
            NextGptPromptExecutionSettings.Names.Order(),
            Honoured.Select(setting => setting.Name).Append("response_format").Order());
        Assert.Equal(
            NextGptPromptExecutionSettings.Names.Order(),
            SettableProperties()
                .Where(property => property.DeclaringType == typeof(NextGptPromptExecutionSettings))
                .Select(property => property.GetCustomAttribute<JsonPropertyNameAttribute>()!.Name).Order());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task Case_17_a_token_limit_below_one_throws(int maxTokens)
    {
        using var chat = ToyChat.Saying("Hi.");

        await Assert.ThrowsAsync<ArgumentException>(
            () => chat.AskAsync(Question(), new NextGptPromptExecutionSettings { MaxTokens = maxTokens }));
        await Assert.ThrowsAsync<ArgumentException>(
            () => chat.AskAsync(Messages(), new ChatOptions { MaxOutputTokens = maxTokens }));
        Assert.Empty(chat.Model.Requests);
    }

    [Fact]
    public async Task Case_17_the_system_prompt_is_added_only_where_there_is_none_and_not_if_blank()
    {
        using var chat = ToyChat.Saying("Hi.");
        var settings = new NextGptPromptExecutionSettings { ChatSystemPrompt = "Be brief." };

        await chat.AskAsync(Question(), settings);
        Assert.Equal([PromptRole.System, PromptRole.User], chat.Model.Asked.Messages.Select(message => message.Role));

        foreach (var role in new[] { AuthorRole.System, AuthorRole.Developer })
        {
            await chat.AskAsync([new ChatMessageContent(role, "Rhyme."), .. Question()], settings);
            Assert.Equal(["Rhyme.", "Hello"], chat.Model.Asked.Messages.Select(ScriptedGenerator.Text));
        }

        await chat.AskAsync(Question(), new NextGptPromptExecutionSettings { ChatSystemPrompt = " " });
        Assert.Equal([PromptRole.User], chat.Model.Asked.Messages.Select(message => message.Role));

        // A caller of Microsoft.Extensions.AI who gives instructions means them whatever the messages say.
        var options = new ChatOptions { Instructions = "Be brief." };
        await chat.AskAsync([new ChatMessage(ChatRole.System, "Rhyme."), .. Messages()], options);
        Assert.Equal(["Be brief.", "Rhyme.", "Hello"], chat.Model.Asked.Messages.Select(ScriptedGenerator.Text));
    }

    [Theory]
    [MemberData(nameof(HonouredNames))]
    public async Task Case_18_typed_additional_and_raw_settings_have_the_same_effect_and_the_options_stay_as_they_were(
        string name, bool streaming)
    {
        var (_, value, reached) = Honoured.Single(setting => setting.Name == name);
        using var chat = new ToyChat(ScriptedArtist.Create());
        var raw = FromData((name, value));
        List<ChatOptions> variants =
        [
            new() { AdditionalProperties = new() { [name] = value } },
            new() { RawRepresentationFactory = _ => raw },
        ];
        if (Typed(name, value) is { } typed)
        {
            variants.Add(typed);
        }

        foreach (var options in variants)
        {
            var before = JsonSerializer.Serialize(options, AIJsonUtilities.DefaultOptions);
            await chat.AskAsync(Messages(), options, streaming);
            Assert.Equal(value, reached(chat.Model.Asked));
            Assert.Equal(before, JsonSerializer.Serialize(options, AIJsonUtilities.DefaultOptions));
        }
    }

    [Fact]
    public async Task Case_18_a_typed_member_comes_before_raw_settings_and_these_before_additional_properties()
    {
        using var chat = ToyChat.Saying("Hi.");
        await chat.AskAsync(Messages(), new ChatOptions
        {
            Temperature = 0.1f,
            RawRepresentationFactory = _ => new NextGptPromptExecutionSettings { Temperature = 0.2, TopK = 2 },
            AdditionalProperties = new() { ["temperature"] = 0.3, ["top_k"] = 3, ["seed"] = 3 },
        });

        Assert.Equal(0.1, chat.Model.Asked.Sampling.Temperature);
        Assert.Equal(2, chat.Model.Asked.Sampling.TopK);
        Assert.Equal(3, chat.Model.Asked.Seed);
    }

    [Fact]
    public async Task Case_18_a_model_id_with_an_adapter_asks_for_the_adapter_and_a_foreign_one_throws()
    {
        using var chat = ToyChat.Saying("Hi.");

        foreach (var id in new[] { "toy", "toy-1b" })
        {
            await chat.AskAsync(Messages(), new ChatOptions { ModelId = id });
            Assert.Null(chat.Model.Asked.Adapter);
        }

        await chat.AskAsync(Messages(), new ChatOptions { ModelId = "toy-1b+warm" });
        Assert.Equal("warm", chat.Model.Asked.Adapter);
        var thrown = await Assert.ThrowsAsync<NotSupportedException>(
            () => chat.AskAsync(Messages(), new ChatOptions { ModelId = "gpt-4" }));
        Assert.Contains("gpt-4", thrown.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Unsupported =>
        ["logprobs", "Reasoning", "AllowBackgroundResponses", "response_format", "schema", "RawRepresentationFactory",
            "results_per_prompt", .. MediaNames];

    [Theory]
    [MemberData(nameof(Unsupported))]
    public async Task Case_19_an_unsupported_option_throws_and_names_itself(string name)
    {
        using var chat = ToyChat.Saying("Hi.");
        var options = name switch
        {
            "Reasoning" => new ChatOptions { Reasoning = new() { Effort = ReasoningEffort.High } },
            "AllowBackgroundResponses" => new ChatOptions { AllowBackgroundResponses = true },
            "response_format" => new ChatOptions { ResponseFormat = ChatResponseFormat.Json },
            "schema" => new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema<int>() },
            "RawRepresentationFactory" => new ChatOptions { RawRepresentationFactory = _ => "something else" },
            _ => new ChatOptions { AdditionalProperties = new() { [name] = 2 } },
        };

        var thrown = await Assert.ThrowsAsync<NotSupportedException>(() => chat.AskAsync(Messages(), options));
        Assert.Contains(name == "schema" ? "response_format" : name, thrown.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NotSupportedException>(() => chat.AskAsync(Messages(), options, streaming: true));
        Assert.Empty(chat.Model.Requests);
    }

    [Theory]
    [InlineData("logprobs", true)]
    [InlineData("response_format", "json_object")]
    [InlineData("response_format", "xml")]
    [InlineData("image_width", 64)]
    public async Task Case_19_through_a_kernel_too(string name, object value)
    {
        using var chat = ToyChat.Saying("Hi.");
        var data = new Dictionary<string, object> { [name] = value };
        var settings = new PromptExecutionSettings { ExtensionData = data };

        var thrown = await Assert.ThrowsAsync<NotSupportedException>(() => chat.AskAsync(Question(), settings));
        Assert.Contains(name, thrown.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NotSupportedException>(() => chat.AskAsync(Question(), settings, streaming: true));
    }

    private static ChatHistory Question() => new("Hello", AuthorRole.User);

    private static ChatMessage[] Messages() => [new(ChatRole.User, "Hello")];

    private static NextGptPromptExecutionSettings FromData(params (string Name, object Value)[] data) =>
        NextGptPromptExecutionSettings.FromExecutionSettings(new PromptExecutionSettings
        {
            ExtensionData = data.ToDictionary(entry => entry.Name, entry => entry.Value),
        });

    private static ChatOptions? Typed(string name, object value) => name switch
    {
        "temperature" => new ChatOptions { Temperature = (float)(double)value },
        "top_p" => new ChatOptions { TopP = (float)(double)value },
        "top_k" => new ChatOptions { TopK = (int)value },
        "frequency_penalty" => new ChatOptions { FrequencyPenalty = (float)(double)value },
        "presence_penalty" => new ChatOptions { PresencePenalty = (float)(double)value },
        "max_tokens" => new ChatOptions { MaxOutputTokens = (int)value },
        "seed" => new ChatOptions { Seed = (long)value },
        "stop_sequences" => new ChatOptions { StopSequences = (string[])value },
        "chat_system_prompt" => new ChatOptions { Instructions = (string)value },
        "conversation_key" => new ChatOptions { ConversationId = (string)value },
        _ => null,
    };

    private static IEnumerable<PropertyInfo> SettableProperties() =>
        typeof(NextGptPromptExecutionSettings).GetProperties()
            .Where(property => property.SetMethod is { IsPublic: true });

    private static NextGptPromptExecutionSettings Full() => new()
    {
        ServiceId = "one",
        ModelId = "toy",
        FunctionChoiceBehavior = FunctionChoiceBehavior.None(),
        ExtensionData = new Dictionary<string, object> { ["extra"] = 1 },
        Temperature = 0.5,
        TopP = 0.9,
        TopK = 10,
        MinP = 0.1,
        RepetitionPenalty = 1.1,
        FrequencyPenalty = 0.2,
        PresencePenalty = 0.3,
        MaxTokens = 100,
        Seed = 1,
        StopSequences = ["END"],
        ChatSystemPrompt = "Be brief.",
        ResponseFormat = "text",
        Modalities = ["text"],
        ForbiddenModalities = ["audio"],
        ImageSteps = 1,
        ImageGuidance = 2,
        ImageWidth = 3,
        ImageHeight = 4,
        AudioSteps = 5,
        AudioSeconds = 6,
        VideoSteps = 7,
        VideoFrames = 8,
        Adapter = "a",
        ConversationKey = "c",
    };

    private sealed class OtherConnectorSettings : PromptExecutionSettings
    {
        [JsonPropertyName("temperature")]
        public double Warmth { get; init; }

        [JsonPropertyName("max_tokens")]
        public int MaxTokens { get; init; }
    }
}
