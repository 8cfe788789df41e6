using System.Globalization;
using NextGpt.Conversations;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Web.Chats;
using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Web.Pages;

/// <summary>A question with its answer, its state and what can be done with them.</summary>
internal sealed class TurnView(AnswerRenderer answers, MediaView media)
{
    /// <summary>The turns of a branch, oldest first.</summary>
    public Html Branch(string person, Chat chat, string? through) =>
        Html.Join(chat.Branch(through).Select(turn => Article(person, chat, turn)));

    /// <summary>One turn.</summary>
    /// <param name="person">Who looks at it; the addresses of its media work for them alone.</param>
    /// <param name="chat">Its conversation.</param>
    /// <param name="turn">The turn.</param>
    public Html Article(string person, Chat chat, ChatTurn turn)
    {
        var versions = chat.VersionsOf(turn);
        var sameQuestion = versions.All(version => version.Question == turn.Question);
        var running = turn.State == ChatTurnState.Running;
        return Html.Of($"""
            <article class="turn" id="turn-{turn.Id}" data-turn="{turn.Id}" data-parent="{turn.ParentId}" data-state="{StateWord(turn)}" data-make="{MakeOf(turn)}" aria-busy="{(running ? "true" : "false")}">
            <div class="ask">
            <h2 class="sr">You asked</h2>
            <div class="said">{media.Asked(person, turn)}{Bubble(turn)}</div>
            <div class="tools">{(sameQuestion ? Html.Empty : Versions(versions, turn))}{(running ? Html.Empty : Act("edit", "Edit the question", Icons.Pencil))}</div>
            </div>
            <div class="reply">
            <h2 class="sr">The AI answered</h2>
            {Answer(turn)}
            {media.Answered(person, turn)}
            {Notices(turn)}
            {Failure(turn)}
            {(running ? Html.Empty : Tools(turn, sameQuestion ? Versions(versions, turn) : Html.Empty))}
            </div>
            </article>
            """);
    }

    private static Html Bubble(ChatTurn turn) => turn.Question.Length == 0
        ? Html.Of($"""<div class="bubble" hidden></div>""")
        : Html.Of($"""<div class="bubble" dir="auto">{turn.Question}</div>""");

    private static string MakeOf(ChatTurn turn) => turn.Make is { } kind ? MediaWords.NameOf(kind) : "";

    private static string StateWord(ChatTurn turn) => turn.State switch
    {
        ChatTurnState.Running => "running",
        ChatTurnState.Answered => "answered",
        _ => "failed",
    };

    private Html Answer(ChatTurn turn)
    {
        if (turn.State == ChatTurnState.Running)
        {
            return Html.Of($"""
                <div class="wait"><i></i><span>{(turn.Answer.Length > 0 ? "" : "Thinking…")}</span></div>
                <div class="prose answer live" dir="auto">{answers.Render(turn.Answer)}</div>
                """);
        }

        var original = Html.Of($"""<div class="prose answer" dir="auto" data-source="{turn.Answer}">{answers.Render(turn.Answer)}</div>""");
        return turn.Correction is null
            ? original
            : Html.Of($"""
                <p class="corrected">{Icons.Pencil} Your correction</p>
                <div class="prose" dir="auto">{answers.Render(turn.Correction)}</div>
                <details class="original"><summary>What the model said</summary>{original}</details>
                """);
    }

    private static Html Notices(ChatTurn turn)
    {
        var ended = turn.FinishReason switch
        {
            "cancelled" => [turn.Answer.Length > 0 || turn.Media.Any(medium => !medium.FromPerson) ? "Stopped; what was there stands." : "Stopped before the answer began."],
            "length" => ["The answer reached its longest length and ends here."],
            _ => Array.Empty<string>(),
        };
        IReadOnlyList<string> all = [.. turn.Notices, .. ended];
        return all.Count == 0
            ? Html.Of($"""<ul class="notices" hidden></ul>""")
            : Html.Of($"""<ul class="notices">{all.Select(notice => Html.Of($"<li>{notice}</li>"))}</ul>""");
    }

    private static Html Failure(ChatTurn turn) => turn.Error is not { } error
        ? Html.Empty
        : Html.Of($"""
            <div class="failure"><p>{error.Sentence} <small>(ref {error.Reference})</small></p><button type="button" class="button" data-act="again">Ask again</button></div>
            """);

    private static Html Tools(ChatTurn turn, Html versions)
    {
        if (turn.State == ChatTurnState.Failed && turn.Answer.Length == 0)
        {
            return Html.Of($"""<div class="tools">{versions}{Act("remove", "Remove this turn", Icons.Bin)}</div>""");
        }

        var reason = turn.Vote == TurnVote.Bad
            ? Html.Of($"""<button type="button" class="text" data-act="reason" data-reason="{turn.VoteReason}" data-correction="{turn.Correction}">{(turn.VoteReason is null && turn.Correction is null ? "Give a reason or a better answer" : "Change reason or correction")}</button>""")
            : Html.Empty;
        return Html.Of($"""
            <div class="tools">
            {versions}
            {Act("copy", "Copy the answer", Icons.Copy)}
            {Act("again", "Answer again", Icons.Again)}
            {Vote("good", "Good answer", Icons.Good, turn.Vote == TurnVote.Good)}
            {Vote("bad", "Bad answer", Icons.Bad, turn.Vote == TurnVote.Bad)}
            {Act("remove", "Remove this turn", Icons.Bin)}
            {Keeping(turn)}
            {reason}
            <span class="facts">{Facts(turn)}</span>
            </div>
            """);
    }

    private static Html Keeping(ChatTurn turn) => turn switch
    {
        { IsKept: true, IsTrainable: true } =>
            Html.Of($"""<span class="state kept" title="In the log; may improve the model">{Icons.Kept} Kept, may teach</span>"""),
        { IsKept: true } => Html.Of($"""<span class="state kept" title="In the log; never used for training">{Icons.Kept} Kept</span>"""),
        _ => Html.Of($"""<span class="state" title="Only in memory, for an hour at most">Not kept</span>"""),
    };

    private static string Facts(ChatTurn turn)
    {
        var facts = new List<string>();
        if (turn.ModelId is { } model)
        {
            facts.Add(model);
        }

        if (turn.Seed is { } seed)
        {
            facts.Add(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        }

        if (turn.Duration > TimeSpan.Zero)
        {
            facts.Add(string.Create(CultureInfo.InvariantCulture, $"{turn.Duration.TotalSeconds:0.0} s"));
        }

        return string.Join(" · ", facts);
    }

    private static Html Versions(IReadOnlyList<ChatTurn> versions, ChatTurn turn)
    {
        if (versions.Count < 2)
        {
            return Html.Empty;
        }

        var index = versions.TakeWhile(version => version.Id != turn.Id).Count();
        return Html.Of($"""
            <span class="versions">{Turn("back", "Earlier version", Icons.Back, index - 1)}<span aria-label="{$"Version {index + 1} of {versions.Count}"}" role="img">{index + 1}/{versions.Count}</span>{Turn("forth", "Later version", Icons.Forth, index + 1)}</span>
            """);

        Html Turn(string way, string name, Html icon, int to) => to < 0 || to >= versions.Count
            ? Html.Of($"""<button type="button" class="icon" data-way="{way}" aria-label="{name}" disabled>{icon}</button>""")
            : Html.Of($"""<button type="button" class="icon" data-act="version" data-way="{way}" data-to="{versions[to].Id}" aria-label="{name}" title="{name}">{icon}</button>""");
    }

    private static Html Act(string act, string name, Html icon) =>
        Html.Of($"""<button type="button" class="icon" data-act="{act}" aria-label="{name}" title="{name}">{icon}</button>""");

    private static Html Vote(string vote, string name, Html icon, bool pressed) =>
        Html.Of($"""<button type="button" class="icon" data-act="vote" data-vote="{vote}" aria-label="{name}" title="{name}" aria-pressed="{(pressed ? "true" : "false")}">{icon}</button>""");
}
