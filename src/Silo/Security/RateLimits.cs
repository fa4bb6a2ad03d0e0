using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Signpost.Silo.Http;

namespace Signpost.Silo.Security;

/// <summary>Requests a second of one caller: a bucket for each, full at first, filled anew every second.</summary>
internal static class RateLimits
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>Adds the limit of <paramref name="perSecond"/> requests for each caller; what needs no key is not counted.</summary>
    public static void Add(IServiceCollection services, int perSecond) => services.AddRateLimiter(limiter =>
    {
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context => Access.Needed(context.Request) is null
            ? RateLimitPartition.GetNoLimiter("")
            : RateLimitPartition.GetTokenBucketLimiter(Caller(context), _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = perSecond,
                TokensPerPeriod = perSecond,
                ReplenishmentPeriod = Period,
                QueueLimit = 0,
                AutoReplenishment = true,
            }));
        limiter.OnRejected = (rejected, _) => new ValueTask(RefuseAsync(rejected, perSecond));
    });

    /// <summary>The name of the key, or where there are no keys the address; of IPv6 the network, of which one caller has all addresses.</summary>
    private static string Caller(HttpContext context)
    {
        if (Access.OwnerOf(context) is { } owner)
        {
            return "key " + owner.Name;
        }

        IPAddress address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        return address.AddressFamily != AddressFamily.InterNetworkV6 || address.IsIPv4MappedToIPv6
            ? address.MapToIPv4().ToString()
            : new IPAddress([.. address.GetAddressBytes().AsSpan(0, 8), .. new byte[8]]).ToString();
    }

    private static Task RefuseAsync(OnRejectedContext rejected, int perSecond)
    {
        TimeSpan wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan told) ? told : Period;
        rejected.HttpContext.Response.Headers.RetryAfter = $"{Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds))}";
        return Problems.WriteAsync(
            rejected.HttpContext, StatusCodes.Status429TooManyRequests, "TooManyRequests", "request", "more than may come", $"at most {perSecond} a second of one caller",
            "Ask again later, ask several vectors in one request, or raise security.rate_max.");
    }
}
