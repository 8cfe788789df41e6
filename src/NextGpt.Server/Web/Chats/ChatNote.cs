namespace NextGpt.Server.Web.Chats;

/// <summary>A turn with its owner. Thread-safe.</summary>
internal sealed class ChatNote(string person, ChatTurn turn)
{
    private readonly Lock _gate = new();
    private ChatTurn _turn = turn;

    public string Person { get; } = person;

    public ChatTurn Turn
    {
        get
        {
            lock (_gate)
            {
                return _turn;
            }
        }
    }

    public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Change(Func<ChatTurn, ChatTurn> change)
    {
        lock (_gate)
        {
            _turn = change(_turn);
        }
    }
}
