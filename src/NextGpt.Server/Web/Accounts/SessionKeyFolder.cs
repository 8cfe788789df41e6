using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Web.Accounts;

/// <summary>Keeps the keys that sign sessions as files of mode 0600, so that people stay signed in over a restart.</summary>
internal sealed class SessionKeyFolder(string folder) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        var keys = new List<XElement>();
        foreach (var path in Directory.EnumerateFiles(folder, "*.xml").Order(StringComparer.Ordinal))
        {
            if (OwnerOnlyFile.Complaint(path) is { } complaint)
            {
                throw new InvalidOperationException($"The session keys of the web page are not safe: {complaint}");
            }

            keys.Add(XElement.Load(path));
        }

        return keys;
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        PrivateFile.MakeFolder(Path.GetDirectoryName(folder) ?? ".");   // else made on the way, open to others
        var name = new string([.. friendlyName.Where(character => char.IsAsciiLetterOrDigit(character) || character == '-')]);
        PrivateFile.Write(
            Path.Combine(folder, (name.Length > 0 ? name : Guid.NewGuid().ToString("N")) + ".xml"),
            Encoding.UTF8.GetBytes(element.ToString()));
    }
}
