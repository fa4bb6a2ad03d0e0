namespace Signpost.Engine.Tests.Cluster;

/// <summary>A test of a contract. The suites are compiled into other test projects too, whose attribute of this name knows what their runtime needs.</summary>
internal sealed class RuntimeFactAttribute : FactAttribute;
