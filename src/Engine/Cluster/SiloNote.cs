using System.Text.Json;
using System.Text.Json.Serialization;

namespace Signpost.Engine.Cluster;

/// <summary>What a silo tells the others of itself: the note beside its lease.</summary>
/// <param name="Url">Where clients ask it.</param>
/// <param name="PeerUrl">Where other silos ask it.</param>
/// <param name="Zone">What it shares its fate with, for example a rack; empty where nobody said.</param>
/// <param name="MemoryBytes">Memory that its shards may take.</param>
/// <param name="ResidentBytes">Memory that they take.</param>
/// <param name="Waiting">Searches that wait for a thread.</param>
/// <param name="IsLeaving">Whether it will stop soon: it still answers, and is to be given nothing.</param>
/// <param name="Shards">The shards that it has or was to open.</param>
/// <param name="IsDraining">Whether its shards are to be elsewhere: it serves them until they are.</param>
/// <param name="MayLoseCopies">Whether they may leave it where fewer copies are left elsewhere than are wanted, but for the last one.</param>
public sealed record SiloNote(
    string Url, string PeerUrl, string Zone, long MemoryBytes, long ResidentBytes, int Waiting, bool IsLeaving, IReadOnlyList<HeldShard> Shards,
    bool IsDraining = false, bool MayLoseCopies = false)
{
    /// <summary>The queries of the last seconds; null where it tells nothing of them.</summary>
    public SiloTraffic? Traffic { get; init; }

    /// <summary>What each collection of which it has shards was built as (<see cref="Storage.CollectionManifest.Lineage"/>), by name; null where it tells nothing of that.</summary>
    public IReadOnlyDictionary<string, string>? Lineages { get; init; }

    /// <summary>
    /// Version of the map of each collection by which the silo goes, by name; what it tells of <see cref="Shards"/> is of then or later. Null where it
    /// tells nothing of that.
    /// </summary>
    public IReadOnlyDictionary<string, long>? Maps { get; init; }

    /// <summary>Role of the lease of the silo <paramref name="name"/>.</summary>
    public static string RoleOf(string name) => RolePrefix + name;

    /// <summary>What the roles of all silos begin with.</summary>
    public const string RolePrefix = "silo/";

    /// <summary>The note as text.</summary>
    public string Write() => JsonSerializer.Serialize(this, NoteJson.Default.SiloNote);

    /// <summary>The note that <paramref name="text"/> is; null where it is none, for example of another version of this program.</summary>
    public static SiloNote? Read(string? text)
    {
        try
        {
            return text is null ? null : JsonSerializer.Deserialize(text, NoteJson.Default.SiloNote);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>The queries that a silo has answered to clients in the last seconds.</summary>
/// <param name="QueriesPerSecond">How many.</param>
/// <param name="LatencyP50Ms">Half of them took at most this, ms, waiting included; 0 where there were none.</param>
/// <param name="LatencyP99Ms">99 of 100 took at most this, ms.</param>
/// <param name="BusyShare">Share of the time of its search threads that was worked, for any silo's queries: 0 .. 1.</param>
public sealed record SiloTraffic(double QueriesPerSecond, double LatencyP50Ms, double LatencyP99Ms, double BusyShare);

/// <summary>A shard in a silo.</summary>
/// <param name="Collection">Name of its collection.</param>
/// <param name="Number">Its number.</param>
/// <param name="CodesVersions">Trainings whose codes are open; 0 stands for none. Empty while the shard is not open.</param>
/// <param name="Reason">Why it could not be opened; null otherwise.</param>
public sealed record HeldShard(string Collection, int Number, IReadOnlyList<uint> CodesVersions, string? Reason = null);

/// <summary>A silo that holds its lease, as the others see it.</summary>
/// <param name="Silo">Its name and epoch.</param>
/// <param name="Note">What it tells.</param>
public sealed record Member(SiloId Silo, SiloNote Note)
{
    /// <summary>The silos of <paramref name="state"/> whose leases are valid and who have told of themselves, by name.</summary>
    public static async ValueTask<IReadOnlyList<Member>> AllAsync(IClusterState state, CancellationToken cancel)
    {
        var members = new List<Member>();
        foreach (NotedLease silo in await state.LeasesAsync(SiloNote.RolePrefix, cancel).ConfigureAwait(false))
        {
            if (SiloNote.Read(silo.Note) is { } note)
            {
                members.Add(new Member(new SiloId(silo.Lease.Holder, silo.Lease.Epoch), note));
            }
        }

        return members;
    }

    /// <summary>Where other silos ask <paramref name="silo"/>; null where that is not known. An earlier life of it may have had another address.</summary>
    public static Uri? AddressOf(IReadOnlyList<Member> members, SiloId silo) =>
        members.FirstOrDefault(member => member.Silo.Name == silo.Name && member.Silo.Epoch >= silo.Epoch) is { } found ? new Uri(found.Note.PeerUrl) : null;

    /// <summary>Whether this silo goes by the map of <paramref name="version"/> or a later one; a silo that tells nothing of maps is taken for one that does.</summary>
    public bool HasSeen(string collection, long version) => Note.Maps is null || Note.Maps.GetValueOrDefault(collection) >= version;

    /// <summary>What this silo says of a shard; null where it says nothing.</summary>
    public HeldShard? Held(ShardId shard)
    {
        foreach (HeldShard held in Note.Shards)
        {
            if (held.Number == shard.Number && held.Collection == shard.Collection)
            {
                return held;
            }
        }

        return null;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(SiloNote))]
internal sealed partial class NoteJson : JsonSerializerContext;
