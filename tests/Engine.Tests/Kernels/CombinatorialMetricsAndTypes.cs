using System.Reflection;
using Xunit.Sdk;

namespace Signpost.Engine.Tests.Kernels;

/// <summary>Runs a theory for every pair of metric and element type.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CombinatorialMetricsAndTypesAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        Components.AllPairs.Select(pair => new object[] { pair.Metric, pair.Type });
}
