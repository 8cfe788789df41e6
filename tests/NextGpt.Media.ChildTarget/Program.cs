using NextGpt.Media;

// With a word beside the verb it misbehaves in the way the word says, for the tests of its parent.
switch (args)
{
    case [MediaChild.Verb]:
        return await MediaChild.RunAsync(Console.OpenStandardInput(), Console.OpenStandardOutput());
    case [MediaChild.Verb, "mute"]:
        return 3;
    case [MediaChild.Verb, "stuck"]:
        await using (var output = Console.OpenStandardOutput())
        {
            output.Write([3, 3, 0, 0, 0, 1, 1, 1]);   // the greeting, and then nothing
            output.Flush();
            new ManualResetEventSlim().Wait();
        }

        return 0;
    case [MediaChild.Verb, "liar"]:
        await using (var output = Console.OpenStandardOutput())
        {
            output.Write([3, 3, 0, 0, 0, 1, 1, 1, 5, 8, 0, 0, 0, 0, 0, 0, 0x7F, 0, 0, 0, 0x7F]);   // a picture of 2^31 x 2^31
            output.Flush();
            new ManualResetEventSlim().Wait();
        }

        return 0;
    default:
        return 2;
}
