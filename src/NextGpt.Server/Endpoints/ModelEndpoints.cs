using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using NextGpt.Host;
using NextGpt.Server.Guards;
using NextGpt.Server.Keys;

namespace NextGpt.Server.Endpoints;

/// <summary>The models that answer, in the shape OpenAI's clients read.</summary>
internal static class ModelEndpoints
{
    /// <summary>Maps <c>/v1/models</c>.</summary>
    public static void MapModelList(this IEndpointRouteBuilder routes)
    {
        var models = routes.MapGroup("/v1/models").WithMetadata(new NeedsScope(Scope.Chat));
        models.MapGet("", (IChatClient chat) => Results.Json(
                new JsonObject { ["object"] = "list", ["data"] = new JsonArray(ToJson(NameOf(chat))) }))
            .WithName("listModels").WithSummary("The models that answer.");
        models.MapGet("{id}", (IChatClient chat, string id) => id == NameOf(chat)
                ? Results.Json(ToJson(id))
                : new ErrorResult(ErrorCatalogue.NoSuchThing.With("model")))
            .WithName("getModel").WithSummary("One model.");
    }

    /// <summary>The id of the model that answers now: base, and adapter after a plus sign.</summary>
    public static string NameOf(IChatClient chat) =>
        (chat.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId ?? "nextgpt";

    private static JsonObject ToJson(string id) => new()
    {
        ["id"] = id,
        ["object"] = "model",
        ["created"] = 0,
        ["owned_by"] = "nextgpt",
        ["state"] = "current",
        ["modalities"] = new JsonObject { ["in"] = new JsonArray("text"), ["out"] = new JsonArray("text") },
    };
}
