using NextGpt.Server.Commands;

return await CommandLine.RunAsync(args, Surroundings.OfProcess());
