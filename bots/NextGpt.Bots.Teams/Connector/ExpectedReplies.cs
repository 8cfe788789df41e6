using System.Globalization;
using System.Text.Json.Nodes;

namespace NextGpt.Bots.Teams.Connector;

/// <summary>
/// Takes what is sent about an activity whose sender waits for the replies in the response (A3113). Once the response is
/// given nothing more is taken, and what comes later goes by the connector. Thread-safe.
/// </summary>
internal sealed class ExpectedReplies
{
    private readonly Lock _gate = new();
    private readonly List<JsonObject> _activities = [];
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isClosed;

    /// <summary>Takes a call in place of the service; null if the service is to have it.</summary>
    /// <param name="method">The call's method.</param>
    /// <param name="activityId">The activity that is updated or deleted, or null.</param>
    /// <param name="activity">What is sent, or null.</param>
    public ConnectorAnswer? Take(HttpMethod method, string? activityId, JsonObject? activity)
    {
        lock (_gate)
        {
            if (_isClosed || method == HttpMethod.Get)
            {
                return null;
            }

            if (method != HttpMethod.Post)
            {
                var at = _activities.FindIndex(known => (string?)known["id"] == activityId);
                if (at < 0)
                {
                    return null;
                }

                _activities.RemoveAt(at);
                if (activity is not null)
                {
                    _activities.Insert(at, activity);
                }

                return new ConnectorAnswer(200, activityId);
            }

            if ((string?)activity?["type"] == "typing" || activity is null)
            {
                return new ConnectorAnswer(202);
            }

            var id = string.Create(CultureInfo.InvariantCulture, $"reply-{_activities.Count + 1}-{Guid.NewGuid():N}");
            activity["id"] = id;
            _activities.Add(activity);
            return new ConnectorAnswer(200, id);
        }
    }

    /// <summary>Nothing more comes.</summary>
    public void Complete() => _complete.TrySetResult();

    /// <summary>Waits until nothing more comes, or for a time, and gives what there is.</summary>
    public async Task<JsonObject> CloseAsync(TimeSpan limit, TimeProvider time)
    {
        using var stop = new CancellationTokenSource();
        await Task.WhenAny(_complete.Task, Task.Delay(limit, time, stop.Token));
        await stop.CancelAsync();
        lock (_gate)
        {
            _isClosed = true;
            return new JsonObject { ["activities"] = new JsonArray([.. _activities]) };
        }
    }
}
