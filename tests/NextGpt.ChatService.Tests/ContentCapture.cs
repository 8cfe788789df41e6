using System.Runtime.CompilerServices;

namespace NextGpt.ChatService.Tests;

/// <summary>Asks for content in traces the way an operator would, before the first client reads it (case 65).</summary>
internal static class ContentCapture
{
    [ModuleInitializer]
    internal static void AskForContent() =>
        Environment.SetEnvironmentVariable("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true");
}
