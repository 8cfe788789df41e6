using Microsoft.AspNetCore.Antiforgery;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Options;
using NextGpt.Host;
using NextGpt.Server.Guards;
using NextGpt.Server.Web.Chats;
using NextGpt.Server.Web.Pages;

namespace NextGpt.Server.Web.Endpoints;

/// <summary>The chat page, its list of conversations, names, removal (WEB-2).</summary>
internal static class ChatEndpoints
{
    public static void MapChatPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/", (HttpContext context, PageSources sources) => ShowAsync(context, null, null, sources));
        pages.MapGet("/c/{id}", (HttpContext context, string id, string? through, PageSources sources) =>
            ShowAsync(context, id, through, sources));
        pages.MapPost("/chat/list", ListAsync);
        pages.MapGet("/chat/conversations/{id}/thread", ThreadAsync);
        pages.MapPut("/chat/conversations/{id}/title", RenameAsync);
        pages.MapDelete("/chat/conversations/{id}", RemoveAsync);
    }

    /// <summary>The model and adapter that answer.</summary>
    public static string ModelIdOf(IChatClient chat) =>
        (chat.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId ?? "the model of this machine";

    private static async Task<IResult> ShowAsync(HttpContext context, string? id, string? through, PageSources sources)
    {
        var person = PageGuard.PersonOf(context);
        var aborted = context.RequestAborted;
        var chat = id is null ? new Chat("", null, []) : await sources.Desk.ReadAsync(person.Id, id, aborted);
        if (id is not null && chat.Turns.Count == 0)
        {
            return PageResult.Notice(
                404, "This conversation is gone",
                "It was deleted, or it was not kept and has been forgotten, or it is not yours.");
        }

        var consent = sources.Desk.GetConsent(person.Id);
        return new PageResult(sources.Page.Render(new ChatPageContent
        {
            Person = person,
            Chat = chat,
            IsBegun = id is not null,
            Through = through,
            Conversations = await sources.Desk.ListAsync(person.Id, aborted),
            DataSheet = DataSheet.Render(consent, sources.Desk.NotKeptBecause, sources.Desk.RetentionDays),
            Keeps = consent.Keep,
            ModelId = ModelIdOf(sources.Model),
            Senses = sources.Router.Senses,
            Limits = sources.Limits.Value,
            Now = sources.Time.GetUtcNow(),
            Token = PageGuard.TokenFor(context, sources.Antiforgery),
        }));
    }

    private static async Task<IResult> ListAsync(HttpContext context, ListRequest request, ChatDesk desk, TimeProvider time)
    {
        var person = PageGuard.PersonOf(context).Id;
        var words = (request.Words ?? "").Trim();
        var conversations = words.Length == 0
            ? await desk.ListAsync(person, context.RequestAborted)
            : await desk.SearchAsync(person, words, context.RequestAborted);
        return new PageResult(ChatPage.List(conversations, request.Current, time.GetUtcNow(), found: words.Length > 0));
    }

    private static async Task<IResult> ThreadAsync(
        HttpContext context, string id, string? through, ChatDesk desk, TurnView turns) =>
        new PageResult(turns.Branch(
            PageGuard.PersonOf(context).Id,
            await desk.ReadAsync(PageGuard.PersonOf(context).Id, id, context.RequestAborted), through));

    private static async Task<IResult> RenameAsync(HttpContext context, string id, TitleRequest request, ChatDesk desk)
    {
        var person = PageGuard.PersonOf(context).Id;
        var outcome = await desk.RenameAsync(person, id, request.Title ?? "", context.RequestAborted);
        return outcome == NameOutcome.NoSuchConversation
            ? new ErrorResult(ErrorCatalogue.NoSuchThing.With("conversation"))
            : Results.Json(new
            {
                (await desk.ReadAsync(person, id, context.RequestAborted)).Title,
                Kept = outcome == NameOutcome.Kept,
            });
    }

    private static async Task<IResult> RemoveAsync(HttpContext context, string id, ChatDesk desk) =>
        await desk.RemoveAsync(PageGuard.PersonOf(context).Id, id, context.RequestAborted)
            ? Results.NoContent()
            : new ErrorResult(ErrorCatalogue.NoSuchThing.With("conversation"));

    private sealed record ListRequest(string? Words, string? Current);

    private sealed record TitleRequest(string? Title);
}

/// <summary>What the chat page is made from.</summary>
internal sealed record PageSources(
    ChatDesk Desk, ChatPage Page, IChatClient Model, ConversationRouter Router, IOptions<TurnOptions> Limits, TimeProvider Time,
    IAntiforgery Antiforgery);
