using System.Net;
using Signpost.Engine.Base;

namespace Signpost.Silo.Cluster;

/// <summary>The addresses that a silo tells others of itself.</summary>
internal static class Advertised
{
    /// <summary>
    /// What others are to ask, of a silo that listens on <paramref name="address"/>: the same port on <paramref name="host"/> or, without
    /// one, the same address, unless that is every network of this machine: then the machine's name.
    /// </summary>
    /// <exception cref="ProblemException">No host name or address.</exception>
    public static string Of(string address, string? host)
    {
        if (host is not null && Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "--advertise-host", $"'{host}'", Settings.AdvertiseHost.Expected, "Name this machine as the others reach it, without a port."));
        }

        var listening = new UriBuilder(address);
        bool isAny = IPAddress.TryParse(listening.Host.Trim('[', ']'), out IPAddress? ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));
        listening.Host = host ?? (isAny ? Dns.GetHostName() : listening.Host);
        return listening.Uri.ToString().TrimEnd('/');
    }
}
