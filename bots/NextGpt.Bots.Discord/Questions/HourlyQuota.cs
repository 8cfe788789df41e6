using System.Globalization;

namespace NextGpt.Bots.Discord.Questions;

/// <summary>Questions of a person and of a server in the last hour. Thread-safe.</summary>
internal sealed class HourlyQuota(TimeProvider time)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue<DateTimeOffset>> _asked = [];

    /// <summary>Counts a question; or says, without counting it, why there may be none now.</summary>
    public string? Take(DiscordOptions options, Asker asker)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var person = Recent($"person {asker.Person}", now);
            if (person.Count >= options.TurnsPerPersonAndHour)
            {
                return Sentence("You asked", person, options.TurnsPerPersonAndHour);
            }

            var server = asker.Server is null ? null : Recent($"server {asker.Server}", now);
            if (server?.Count >= options.TurnsPerServerAndHour)
            {
                return Sentence("This server asked", server, options.TurnsPerServerAndHour);
            }

            person.Enqueue(now);
            server?.Enqueue(now);
            return null;
        }
    }

    private Queue<DateTimeOffset> Recent(string key, DateTimeOffset now)
    {
        if (_asked.Count > 10_000)
        {
            foreach (var (other, times) in _asked.ToList())
            {
                if (times.Count == 0 || times.Last() + Hour <= now)
                {
                    _asked.Remove(other);
                }
            }
        }

        if (!_asked.TryGetValue(key, out var asked))
        {
            _asked[key] = asked = [];
        }

        while (asked.TryPeek(out var oldest) && oldest + Hour <= now)
        {
            asked.Dequeue();
        }

        return asked;
    }

    private static string Sentence(string who, Queue<DateTimeOffset> asked, int most) => string.Create(
        CultureInfo.InvariantCulture,
        $"{who} {asked.Count:N0} times in the last hour, {most:N0} are allowed; the next one at {asked.Peek() + Hour:HH:mm} UTC.");
}
