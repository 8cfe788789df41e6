namespace NextGpt.Server.Settings;

/// <summary>Where settings come from: appsettings.json, a file named by <c>--config</c>, environment variables; the last wins.</summary>
internal static class SettingsSource
{
    /// <summary>Reads all settings.</summary>
    /// <param name="configFile">A further JSON file, or null.</param>
    /// <exception cref="InvalidDataException">A file is missing or not JSON; the message says where.</exception>
    public static IConfigurationRoot Read(string? configFile)
    {
        try
        {
            var settings = new ConfigurationBuilder()
                .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true);
            if (configFile is not null)
            {
                settings.AddJsonFile(Path.GetFullPath(configFile), optional: false);
            }

            return settings.AddEnvironmentVariables().Build();
        }
        catch (FileNotFoundException)
        {
            throw new InvalidDataException($"There is no settings file {configFile}; name an existing JSON file.");
        }
        catch (InvalidDataException broken)
        {
            var place = broken.InnerException?.InnerException?.Message ?? broken.InnerException?.Message ?? "";
            throw new InvalidDataException($"The settings are not valid JSON: {broken.Message} {place}".Trim(), broken);
        }
    }
}
