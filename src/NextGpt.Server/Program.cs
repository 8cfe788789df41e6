using NextGpt.Media;
using NextGpt.Server.Commands;

// Started by itself to decode files of strangers: nothing else of the program is touched (THR-7).
if (args is [MediaChild.Verb])
{
    return await MediaChild.RunAsync(Console.OpenStandardInput(), Console.OpenStandardOutput());
}

return await CommandLine.RunAsync(args, Surroundings.OfProcess());
