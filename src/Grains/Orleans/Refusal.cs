using Signpost.Engine.Base;

namespace Signpost.Grains.Orleans;

/// <summary>How a grain refuses.</summary>
internal static class Refusal
{
    /// <summary>The answer; a problem travels as its words, in an <see cref="IOException"/>, which needs nothing of ours to be read.</summary>
    public static async Task<byte[]> InWordsAsync(Task<byte[]> call)
    {
        try
        {
            return await call.ConfigureAwait(false); // one turn of the grain less
        }
        catch (ProblemException e)
        {
            throw new IOException(e.Message);
        }
    }
}
