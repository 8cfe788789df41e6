using NextGpt.Server;
using NextGpt.Server.Settings;

var app = ServerApplication.Build(SettingsSource.Read(null));
await app.RunAsync();
return 0;
