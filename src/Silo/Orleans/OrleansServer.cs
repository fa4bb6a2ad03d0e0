using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Serialization;
using Signpost.Client;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Grains.Orleans;
using Signpost.Grains.Wire;
using Signpost.Silo.Cluster;
using Signpost.Silo.Http;
using Signpost.Silo.Redis;
using StackExchange.Redis;

namespace Signpost.Silo.Orleans;

/// <summary>A silo of Orleans in this process: its settings, its start, and its end in order.</summary>
internal sealed class OrleansServer : IPeerServer
{
    /// <summary>Name under which the members of all clusters are kept in Redis.</summary>
    private const string Service = "signpost";

    /// <summary>
    /// How long a probe of a silo waits, or a lease where that is longer. A silo that misses three in a row is declared dead, and its process ends: so
    /// there is time for a machine that is out of breath. Calls turn away from a silent silo long before, by its lease and by hedging.
    /// </summary>
    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(5);

    /// <summary>Time for calls to end, and to tell the others. Without Redis Orleans would try that for minutes.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(5);

    private readonly IHost _host;

    private readonly MemberKeeper? _keeper;

    private OrleansServer(IHost host, Uri address, OrleansSiloOptions options)
    {
        (_host, Address) = (host, address);
        _keeper = options.Redis is { } redis ? new MemberKeeper(redis, KeyOf(options), options.Say) : null;
        Grains = host.Services.GetRequiredService<IGrainFactory>();
        Members = host.Services.GetRequiredService<IClusterMembershipService>();
    }

    /// <summary>
    /// Sizes of messages. Orleans tells nobody of a message beyond its own limit, and holds up all others while it tries again: ours are refused
    /// well below.
    /// </summary>
    public static WireLimits Limits { get; } = new() { ControlBytes = 64 << 20, ControlAnswerBytes = 64 << 20 };

    /// <inheritdoc/>
    public Uri Address { get; }

    /// <summary>Calls of grains.</summary>
    public IGrainFactory Grains { get; }

    /// <summary>The silos, by Orleans.</summary>
    public IClusterMembershipService Members { get; }

    /// <summary>Joins the cluster of Orleans.</summary>
    /// <param name="url">Where it listens: http://ADDRESS:PORT, or https for TLS; port 0 takes a free one.</param>
    /// <param name="options">What it is told.</param>
    /// <param name="own">What others may ask this silo.</param>
    /// <param name="mapOf">The map of a collection that this silo uses; null where it has none.</param>
    /// <param name="cancel">Ends the start.</param>
    /// <exception cref="IOException">Redis cannot be asked, or the address cannot be had.</exception>
    public static async Task<OrleansServer> StartAsync(
        string url, OrleansSiloOptions options, SiloGrains own, Func<string, ShardMap?> mapOf, CancellationToken cancel)
    {
        IPEndPoint listening = ListeningAt(new Uri(url));
        string host = new Uri(Advertised.Of(url, options.AdvertiseHost)).Host.Trim('[', ']');
        IPEndPoint endpoint = await ReachedAtAsync(host, listening, cancel);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        Server.LogToStandardError(builder);
        builder.Logging.AddFilter("Orleans", LogLevel.Error);
        builder.Logging.AddFilter("Orleans.Messaging", LogLevel.Critical); // who asks says why a call failed
        builder.Logging.AddFilter("Orleans.Runtime.GrainCallCancellationManager", LogLevel.Critical); // nobody waits any more
        builder.Logging.AddFilter("Polly", LogLevel.Critical); // tells of each attempt to reach a silo that has died; that it is gone is told once
        builder.Logging.AddFilter("Orleans.Runtime.GrainDirectory", LogLevel.Critical); // it tries again
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = StopTime);
        builder.Services.AddSingleton(own.Shards);
        builder.Services.AddSingleton(own.Placement);
        builder.Services.AddSingleton(own.Training);
        builder.Services.AddSingleton(mapOf);
        builder.UseOrleans(silo =>
        {
            Cluster(silo, options, new MemberName(options.Silo, host), listening, endpoint);
            Configure(silo, options);
        });
        builder.Services.AddSingleton<IFatalErrorHandler, Evicted>(); // after Orleans' own
        AddSockets(builder.Services, new Uri(url).Scheme, options);
        IHost started = builder.Build();
        try
        {
            await started.StartAsync(cancel);
            return new OrleansServer(started, new UriBuilder(url) { Host = endpoint.Address.ToString(), Port = endpoint.Port }.Uri, options);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            started.Dispose();
            throw new IOException($"Orleans does not start at {endpoint}: {e.GetBaseException().Message}", e);
        }
    }

    /// <summary>Tells the others that this silo ends, lets its calls end, and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        _keeper?.Dispose();
        try
        {
            await _host.StopAsync().WaitAsync(StopTime);
            _host.Dispose();
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException or OrleansException)
        {
            // The process ends, and the others find out by themselves.
        }
    }

    /// <summary>Where the silos find each other.</summary>
    private static void Cluster(ISiloBuilder silo, OrleansSiloOptions options, MemberName name, IPEndPoint listening, IPEndPoint endpoint)
    {
        if (options.Redis is { } redis)
        {
            ConfigurationOptions connection = ConnectionTo(redis);
            silo.UseRedisClustering(o => (o.ConfigurationOptions, o.CreateRedisKey) = (connection, _ => KeyOf(options)));
        }
        else
        {
            silo.UseLocalhostClustering(endpoint.Port, 0, endpoint);
        }

        silo.Configure<global::Orleans.Configuration.ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (options.Cluster, Service));
        silo.Configure<SiloOptions>(o => o.SiloName = name.ToString());
        silo.Configure<EndpointOptions>(o =>
        {
            (o.AdvertisedIPAddress, o.SiloPort, o.SiloListeningEndpoint) = (endpoint.Address, endpoint.Port, listening);
            o.GatewayPort = 0; // clients come over HTTP
        });
    }

    private static void Configure(ISiloBuilder silo, OrleansSiloOptions options)
    {
        silo.Configure<ClusterMembershipOptions>(o =>
        {
            o.ProbeTimeout = options.Lease > Probe ? options.Lease : Probe;
            o.NumMissedProbesLimit = 3;
            o.NumVotesForDeathDeclaration = 2; // Orleans makes it one of two silos
            o.TableRefreshTimeout = TimeSpan.FromSeconds(5);
            o.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
        });
        silo.Configure<SiloMessagingOptions>(o =>
        {
            o.MaxMessageBodySize = Limits.ControlAnswerBytes + (1 << 20);
            o.MaxRequestProcessingTime = TimeSpan.FromDays(1); // a training may take long
        });
        silo.Services.AddSerializer(serializer => serializer.AddAssembly(typeof(IShardActor).Assembly));
#pragma warning disable ORLEANSEXP003 // marked experimental; the default one drops grains of silos that live when another one ends
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
        silo.AddPlacementDirector<SiloPlacement, SiloDirector>();
    }

    /// <summary>Lets Orleans speak over connections of ours, in place of its own.</summary>
    private static void AddSockets(IServiceCollection services, string scheme, OrleansSiloOptions options)
    {
        services.AddSingleton(provider => new PeerSockets(
            scheme, options.Security, endpoint => HostAt(provider.GetRequiredService<IClusterMembershipService>().CurrentSnapshot, endpoint), options.Say));
        foreach (ServiceDescriptor own in services.Where(s => s.IsKeyedService && s.ServiceType.IsAssignableFrom(typeof(PeerSockets))).ToArray())
        {
            services.AddKeyedSingleton(own.ServiceType, own.ServiceKey, (provider, _) => provider.GetRequiredService<PeerSockets>());
        }
    }

    /// <summary>The host of the silo that was started last at an address; null where there is none.</summary>
    private static string? HostAt(ClusterMembershipSnapshot silos, EndPoint endpoint) =>
        silos.Members.Values.Where(member => member.SiloAddress.Endpoint.Equals(endpoint)).MaxBy(member => member.SiloAddress.Generation) is { } silo
        && MemberName.Of(silo) is { Host.Length: > 0 } name ? name.Host : null;

    private static string KeyOf(OrleansSiloOptions options) => $"{Service}:{{{options.Cluster}}}:orleans";

    private static ConfigurationOptions ConnectionTo(RedisOptions redis)
    {
        var options = new ConfigurationOptions
        {
            EndPoints = { { redis.Host, redis.Port } },
            User = redis.User,
            Password = redis.Password,
            Ssl = redis.Tls,
            SslHost = redis.TlsHost,
            DefaultDatabase = redis.Database,
            ClientName = redis.ClientName,
            AbortOnConnectFail = false, // it need not be there yet
        };
        if (redis.Authorities is { } authorities)
        {
            options.SslClientAuthenticationOptions = host =>
            {
                SslClientAuthenticationOptions how = Trust.ForClient(authorities);
                how.TargetHost = redis.TlsHost ?? host;
                return how;
            };
        }

        return options;
    }

    /// <summary>What others are told: an address, for Orleans knows silos by nothing else.</summary>
    private static async Task<IPEndPoint> ReachedAtAsync(string host, IPEndPoint listening, CancellationToken cancel)
    {
        IPAddress[] found = await Dns.GetHostAddressesAsync(host, listening.AddressFamily, cancel);
        return new IPEndPoint(found.FirstOrDefault() ?? throw new IOException($"{host}: no address of the kind of {listening.Address}"), listening.Port);
    }

    private static IPEndPoint ListeningAt(Uri url)
    {
        IPAddress address = url.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(url.Host.Trim('[', ']'));
        if (url.Port > 0)
        {
            return new IPEndPoint(address, url.Port);
        }

        using var probe = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(address, 0));
        return (IPEndPoint)probe.LocalEndPoint!;
    }
}
