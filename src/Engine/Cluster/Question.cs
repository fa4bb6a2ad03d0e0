using Signpost.Engine.Search;

namespace Signpost.Engine.Cluster;

/// <summary>What one search of the coordinator is asked, until when, and who may stop it.</summary>
internal readonly record struct Question(Query Query, SearchRequest Request, Deadline Deadline, CancellationToken Cancel);
