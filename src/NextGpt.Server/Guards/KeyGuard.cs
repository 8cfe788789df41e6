using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using NextGpt.Host;
using NextGpt.Server.Instance;
using NextGpt.Server.Keys;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Guards;

/// <summary>
/// Recognises the caller of every route that names a scope: by key, as the program's own command line, or, from this
/// machine where no key is required, as its local person (API-3).
/// </summary>
internal sealed class KeyGuard(
    RequestDelegate next, KeyStore keys, InstanceToken commandLine, FailureBrake brake, IOptions<ServerOptions> options)
{
    private static readonly Caller Local = new("api", "local", [Scope.Chat, Scope.Media]);

    private readonly bool _keyRequired = options.Value.RequireKey || !ListeningRules.ListensOnlyHere(options.Value.AddressUri);

    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<NeedsScope>() is not { } needed)
        {
            return next(context);
        }

        var address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        var key = KeyOf(context.Request);
        if (key is null && !_keyRequired && IPAddress.IsLoopback(address))
        {
            return AdmitAsync(context, Local, needed);
        }

        if (brake.WaitOf(address) is { Ticks: > 0 } wait)
        {
            return ErrorAnswer.WriteAsync(
                context, ErrorCatalogue.TooManyFailures.RetryIn(wait, Math.Ceiling(wait.TotalSeconds)));
        }

        if (key is not null && Recognise(key) is { } caller)
        {
            return AdmitAsync(context, caller, needed);
        }

        if (key is not null)
        {
            brake.Failed(address);
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        return ErrorAnswer.WriteAsync(context, ErrorCatalogue.Unauthorized.With());
    }

    private static string? KeyOf(HttpRequest request)
    {
        const string bearer = "Bearer ";
        var authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith(bearer, StringComparison.OrdinalIgnoreCase)
            ? authorization[bearer.Length..].Trim()
            : request.Headers["x-api-key"] is [{ Length: > 0 } key] ? key : null;
    }

    private Caller? Recognise(string key) =>
        commandLine.Text is { } own && CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(own), Encoding.UTF8.GetBytes(key))
            ? new Caller("console", Environment.UserName, [Scope.Admin])
            : keys.Find(key) is { } found ? new Caller("api", found.Id, found.Scopes) : null;

    private Task AdmitAsync(HttpContext context, Caller caller, NeedsScope needed)
    {
        if (!caller.May(needed.Name))
        {
            return ErrorAnswer.WriteAsync(
                context,
                ReferenceEquals(caller, Local)
                    ? ErrorCatalogue.Unauthorized.With()
                    : ErrorCatalogue.ScopeMissing.With(needed.Name));
        }

        context.Features.Set(caller);
        return next(context);
    }
}
