using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Support;

/// <summary>Waiting for what comes sooner or later. The limit is for defects only: no test depends on how long things take.</summary>
internal static class Wait
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>The result, or a failure when there is none for a very long time.</summary>
    public static Task<T> Long<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Limit);

    /// <summary>Asks again until Redis answers.</summary>
    public static async Task<T> UntilAnswered<T>(Func<ValueTask<T>> call)
    {
        for (var end = Deadline.After(Limit); ;)
        {
            try
            {
                return await call().Long();
            }
            catch (RedisException) when (!end.HasPassed)
            {
                await Task.Delay(20);
            }
        }
    }

    /// <summary>Asks again until the answer is as it should be.</summary>
    public static async Task<T> Until<T>(Func<ValueTask<T>> call, Func<T, bool> isGood)
    {
        for (var end = Deadline.After(Limit); ;)
        {
            T answer = await UntilAnswered(call);
            if (isGood(answer))
            {
                return answer;
            }

            Assert.False(end.HasPassed, $"still {answer}");
            await Task.Delay(20);
        }
    }
}
