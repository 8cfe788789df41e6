using System.Net;
using System.Text;

namespace NextGpt.Bots.Discord.Tests.Rest;

/// <summary>Discord's API without a network: a test answers each call.</summary>
internal sealed class ScriptedHandler(TimeProvider time) : HttpMessageHandler
{
    private readonly List<(string Call, DateTimeOffset At, HttpRequestMessage Message, string Body)> _calls = [];

    /// <summary>The answer to a call; the number counts from 0.</summary>
    public Func<string, int, HttpResponseMessage> Answer { get; set; } = (_, _) => Ok();

    /// <summary>What is waited for before a call is answered.</summary>
    public Func<string, Task>? Gate { get; set; }

    public IReadOnlyList<(string Call, DateTimeOffset At, HttpRequestMessage Message, string Body)> Calls
    {
        get
        {
            lock (_calls)
            {
                return [.. _calls];
            }
        }
    }

    public static HttpResponseMessage Ok(params (string Name, string Value)[] headers) => Reply(200, """{"id":"5"}""", headers);

    public static HttpResponseMessage Reply(int status, string json, params (string Name, string Value)[] headers)
    {
        var answer = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
        {
            answer.Headers.TryAddWithoutValidation(name, value);
        }

        return answer;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var call = $"{request.Method} {request.RequestUri!.AbsolutePath["/api/v10".Length..]}";
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        int number;
        lock (_calls)
        {
            number = _calls.Count;
            _calls.Add((call, time.GetUtcNow(), request, body));
        }

        if (Gate is { } gate)
        {
            await gate(call);
        }

        return Answer(call, number);
    }
}
