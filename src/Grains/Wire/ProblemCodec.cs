using Signpost.Client.Wire;
using Signpost.Engine.Base;

namespace Signpost.Grains.Wire;

/// <summary>A <see cref="Problem"/> as an array of its values; nil where there is none.</summary>
internal static class ProblemCodec
{
    public static void Write(MessagePackWriter writer, Problem? problem)
    {
        if (problem is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(5);
        writer.Write((int)problem.Code);
        writer.Write(problem.What);
        writer.Write(problem.Got);
        writer.Write(problem.Expected);
        writer.Write(problem.Mend);
    }

    public static Problem? Read(ref MessagePackReader reader)
    {
        if (reader.TryReadNil())
        {
            return null;
        }

        Message.ReadArray(ref reader, 5);
        int start = reader.Offset;
        var code = (ProblemCode)reader.ReadInt32();
        return Enum.IsDefined(code)
            ? new Problem(code, reader.ReadString(), reader.ReadString(), reader.ReadString(), reader.ReadString())
            : throw new MessagePackException(start, $"{(int)code}", "the code of a problem");
    }
}
