namespace NextGpt.Server.Terminal;

/// <summary>What can be typed at the console instead of a question (CON-3).</summary>
internal static class ChatCommands
{
    /// <summary>Names with what they do, in the order of the help.</summary>
    public static IReadOnlyList<(string Name, string Does)> All { get; } =
    [
        ("/new", "begin a new conversation"),
        ("/retry", "answer the last question again"),
        ("/attach", "attach a file to the next question: /attach PATH; alone it lists what is attached"),
        ("/detach", "take an attached file away: /detach 2; alone it takes all"),
        ("/image", "ask for a picture: /image a red cat"),
        ("/sound", "ask for a sound: /sound rain on a roof"),
        ("/video", "ask for a clip: /video a ball that rolls"),
        ("/good", "vote for the last answer; a reason may follow"),
        ("/bad", "vote against the last answer; a reason may follow"),
        ("/correct", "what the last answer should have been"),
        ("/keep", "allow or stop keeping your conversations: /keep, /keep off"),
        ("/forget", "erase everything that is kept of you"),
        ("/export", "write what is kept of you to a ZIP file"),
        ("/help", "this list"),
        ("/exit", "leave (also Ctrl+D, or Ctrl+C twice)"),
    ];
}
