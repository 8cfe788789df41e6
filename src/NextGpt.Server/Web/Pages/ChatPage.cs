using NextGpt.Host;
using NextGpt.Media;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Web.Accounts;
using NextGpt.Server.Web.Chats;
using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Web.Pages;

/// <summary>What the chat page shows.</summary>
internal sealed record ChatPageContent
{
    public required Account Person { get; init; }

    /// <summary>The conversation, or an empty one that is not begun.</summary>
    public required Chat Chat { get; init; }

    /// <summary>Whether <see cref="Chat"/> exists.</summary>
    public required bool IsBegun { get; init; }

    /// <summary>The turn whose branch is wanted, or null for the newest.</summary>
    public string? Through { get; init; }

    public required IReadOnlyList<ShelvedConversation> Conversations { get; init; }

    public required Html DataSheet { get; init; }

    public required bool Keeps { get; init; }

    /// <summary>The model and adapter that answer.</summary>
    public required string ModelId { get; init; }

    /// <summary>What the model reads and makes.</summary>
    public required ModelSenses Senses { get; init; }

    /// <summary>How many files, how large.</summary>
    public required TurnOptions Limits { get; init; }

    /// <summary>Now, for "today".</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The token that changes carry.</summary>
    public required string Token { get; init; }
}

/// <summary>The page people talk on.</summary>
internal sealed class ChatPage(TurnView turns)
{
    /// <summary>Questions a small text model answers well enough to begin with.</summary>
    internal static IReadOnlyList<string> Examples { get; } =
    [
        "What is the capital of France?",
        "What is the opposite of hot?",
        "What is water made of?",
        "Write two sentences about the sea.",
    ];

    private static readonly string[] Reasons = ["Not true", "Beside the point", "Unclear", "Harmful"];

    public Html Render(ChatPageContent content) => Page.Document(
        $"{(content.IsBegun ? content.Chat.Title : "New conversation")} · NextGpt",
        Html.Of($"""
            <a class="skip" href="#question">Skip to the message box</a>
            <div class="shell" data-conversation="{(content.IsBegun ? content.Chat.Id : "")}">
            {Side(content)}
            <div class="veil"></div>
            <div class="room">
            {Top(content)}
            <main class="thread" id="thread" aria-label="Conversation" tabindex="-1">
            {(content.IsBegun ? Html.Empty : Empty())}
            <div class="turns">{(content.IsBegun ? turns.Branch(content.Person.Id, content.Chat, content.Through) : Html.Empty)}</div>
            </main>
            {Dock(content)}
            </div>
            </div>
            <p id="status" class="sr" role="status"></p>
            <div id="announcer" class="sr" aria-live="polite" aria-atomic="true"></div>
            <dialog id="data" aria-labelledby="data-title">{content.DataSheet}</dialog>
            {RenameDialog()}
            {ConfirmDialog()}
            {EditTemplate()}
            {ReasonTemplate()}
            """),
        "app.js",
        content.Token);

    /// <summary>The list of conversations in the side bar.</summary>
    public static Html List(IReadOnlyList<ShelvedConversation> conversations, string? current, DateTimeOffset now, bool found)
    {
        if (conversations.Count == 0)
        {
            return Html.Of($"""<p class="none">{(found ? "Nothing of yours has these words." : "Your conversations will stand here.")}</p>""");
        }

        return Html.Join(conversations
            .GroupBy(conversation => conversation.LastUsed.UtcDateTime.Date >= now.UtcDateTime.Date ? "Today"
                : conversation.LastUsed > now.AddDays(-7) ? "Last seven days" : "Earlier")
            .Select(group => Html.Of($"<h2>{group.Key}</h2><ul>{group.Select(Item)}</ul>")));

        Html Item(ShelvedConversation conversation)
        {
            var here = conversation.Id.Value == current ? Html.Of($" aria-current=\"page\"") : Html.Empty;
            var mark = conversation.Kept
                ? Html.Of($"""{Icons.Kept}<span class="sr">kept</span>""")
                : Html.Empty;
            return Html.Of($"""<li><a href="/c/{conversation.Id.Value}"{here}><span>{conversation.Title}</span>{mark}</a></li>""");
        }
    }

    private static Html Side(ChatPageContent content)
    {
        var people = content.Person.IsAdmin
            ? Html.Of($"""<a class="row" href="/people">{Icons.People} People</a>""")
            : Html.Empty;
        return Html.Of($"""
            <aside class="side" id="side" aria-label="Conversations and settings">
            <div class="brand">{Icons.Mark}<span>NextGpt</span><button type="button" class="icon shut" data-act="side" aria-label="Close the side bar">{Icons.Close}</button></div>
            <a class="button new" href="/">{Icons.Plus} New conversation</a>
            <search class="find">{Icons.Search}<label class="sr" for="find">Search your conversations</label><input id="find" type="search" placeholder="Search" autocomplete="off" maxlength="200"></search>
            <nav class="chats" id="chats" aria-label="Your conversations">{List(content.Conversations, content.Chat.Id, content.Now, found: false)}</nav>
            <div class="side-foot">
            <fieldset class="themes"><legend class="sr">Colours</legend>
            <label><input type="radio" name="theme" value="" checked>Auto</label>
            <label><input type="radio" name="theme" value="light">Light</label>
            <label><input type="radio" name="theme" value="dark">Dark</label>
            </fieldset>
            <button type="button" class="row" data-act="data">{Icons.Shield} Your data <small id="keeping">{(content.Keeps ? "kept" : "not kept")}</small></button>
            {people}
            <a class="row" href="/account">{Icons.Person} {content.Person.Name}</a>
            <form method="post" action="/logout">{Page.TokenField(content.Token)}<button class="row">{Icons.Leave} Sign out</button></form>
            </div>
            </aside>
            """);
    }

    private static Html Top(ChatPageContent content) => Html.Of($"""
        <header class="top">
        <button type="button" class="icon menu" data-act="side" aria-label="Conversations" aria-expanded="false" aria-controls="side">{Icons.Menu}</button>
        <div class="titles"><h1 id="title">{(content.IsBegun ? content.Chat.Title : "New conversation")}</h1>
        <p>An AI answers; it can be wrong. <span id="model">{content.ModelId}</span></p></div>
        <span id="chat-tools"{(content.IsBegun ? Html.Empty : Html.Of($" hidden"))}>
        <button type="button" class="icon" data-act="rename" aria-label="Rename the conversation" title="Rename">{Icons.Pencil}</button>
        <button type="button" class="icon" data-act="discard" aria-label="Delete the conversation" title="Delete">{Icons.Bin}</button>
        </span>
        </header>
        """);

    private static Html Empty() => Html.Of($"""
        <section class="empty" id="empty" aria-label="Begin">
        {Icons.Mark}
        <h2>What would you like to know?</h2>
        <p>A small model on this machine answers. Short, plain questions suit it best; it errs, and it says nothing to anybody else.</p>
        <ul class="examples">{Examples.Select(example => Html.Of($"""<li><button type="button" data-act="example">{example}</button></li>"""))}</ul>
        </section>
        """);

    private static readonly (MediaKind Kind, string Name)[] Answers =
    [
        (MediaKind.Image, "A picture"), (MediaKind.Audio, "A sound"), (MediaKind.Video, "A clip"),
    ];

    /// <summary>Choosing files, where the model reads any.</summary>
    private static Html Attach(ModelSenses senses) => senses.Reads.Count == 0
        ? Html.Empty
        : Html.Of($"""<input class="sr" id="files" type="file" multiple tabindex="-1" aria-label="Files to attach"><button type="button" class="icon" data-act="attach" aria-label="Attach files" title="Attach files">{Icons.Clip}</button>""");

    /// <summary>What the answer must be, where the model makes any media.</summary>
    private static Html Make(ModelSenses senses) => senses.Makes.Count == 0
        ? Html.Empty
        : Html.Of($"""<label class="make"><span class="sr">Answer with</span><select id="make"><option value="">Any answer</option>{Answers.Where(answer => senses.Makes.Contains(answer.Kind)).Select(answer => Html.Of($"""<option value="{MediaWords.NameOf(answer.Kind)}">{answer.Name}</option>"""))}</select></label>""");

    private static Html Dock(ChatPageContent content) => Html.Of($"""
        <section class="dock" aria-label="Write">
        <div class="newest" id="newest" hidden><button type="button" class="icon" data-act="newest" aria-label="To the newest answer">{Icons.Down}</button></div>
        <div class="bar" id="alert" role="alert" hidden><span></span><button type="button" class="icon" data-act="dismiss" aria-label="Dismiss">{Icons.Close}</button></div>
        <form class="composer" id="composer" data-most="{content.Limits.MaxFiles}" data-megabytes="{content.Limits.MaxFileMegabytes}" data-reads="{string.Join(' ', content.Senses.Reads.Select(MediaWords.NameOf))}" data-send="{content.Senses.Sendable}">
        <ul class="attached" id="attached" aria-label="Files to send" hidden></ul>
        <label class="sr" for="question">Your message</label>
        <textarea id="question" rows="1" placeholder="Ask something" autocomplete="off" enterkeyhint="send" dir="auto"></textarea>
        <div class="with">{Attach(content.Senses)}{Make(content.Senses)}</div>
        <button class="send" id="send" aria-label="Send">{SendIcons()}</button>
        </form>
        <p class="under"><span id="keeping-line">{(content.Keeps ? "Your conversations are kept." : "This is not kept: it is forgotten after an hour.")}</span><button type="button" data-act="data">Your data</button></p>
        </section>
        """);

    private static Html SendIcons() => Html.Of($"""<span class="go">{Icons.Up}</span>{Icons.Stop}""");

    private static Html RenameDialog() => Html.Of($"""
        <dialog id="rename" aria-labelledby="rename-title"><form class="sheet" method="dialog">
        <h2 id="rename-title">Rename the conversation</h2>
        <label class="field"><span>Name</span><input name="title" maxlength="80" autocomplete="off"></label>
        <p class="quiet" data-name="kept">The name is kept with the conversation: it is still there after a restart, is part of your export, and is erased with the last turn.</p>
        <p class="quiet" data-name="unkept">This conversation is not kept, so its name is not either: after an hour of rest both are forgotten.</p>
        <div class="buttons"><button class="button" value="cancel" formnovalidate type="button" data-act="close">Cancel</button><button class="button main" value="ok">Rename</button></div>
        </form></dialog>
        """);

    private static Html ConfirmDialog() => Html.Of($"""
        <dialog id="confirm" aria-labelledby="confirm-title" aria-describedby="confirm-text"><form class="sheet" method="dialog">
        <h2 id="confirm-title"></h2><p id="confirm-text"></p>
        <div class="buttons"><button class="button" type="button" data-act="close">Cancel</button><button class="button danger" value="ok" id="confirm-ok"></button></div>
        </form></dialog>
        """);

    private static Html EditTemplate() => Html.Of($"""
        <template id="edit-form"><form class="inset" data-form="edit">
        <label><span>Your question, in a new version</span><textarea name="text" dir="auto"></textarea></label>
        <div class="buttons"><button class="button" type="button" data-act="cancel">Cancel</button><button class="button main">Ask</button></div>
        </form></template>
        """);

    private static Html ReasonTemplate() => Html.Of($"""
        <template id="reason-form"><form class="inset" data-form="reason">
        <fieldset><legend>What was wrong?</legend><div class="chips">
        {Reasons.Select(reason => Html.Of($"""<label><input type="radio" name="reason" value="{reason}">{reason}</label>"""))}
        </div></fieldset>
        <label><span>In your words</span><textarea name="words" maxlength="1000" dir="auto"></textarea></label>
        <label><span>A better answer</span><textarea name="correction" maxlength="8000" dir="auto"></textarea></label>
        <div class="buttons"><button class="button" type="button" data-act="cancel">Cancel</button><button class="button main">Save</button></div>
        </form></template>
        """);
}
