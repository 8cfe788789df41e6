using System.Text.Json;
using NextGpt.Model;
using NextGpt.Model.Language;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Talk;

/// <summary>A language model of two layers that reads bytes, as a folder in Hugging Face layout.</summary>
internal static class ToyLanguage
{
    private static readonly string[] Specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

    /// <summary>Writes the folder; the same weights every time.</summary>
    internal static TrainableLanguage Load(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), """
            {
              "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
              "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 259, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
              "max_position_embeddings": 2048, "tie_word_embeddings": true, "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": 2
            }
            """);
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), Tokenizer());
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{ "eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "tokenizer_class": "GPT2Tokenizer" }""");
        using (manual_seed(5))
        using (var network = new LlamaModel(LlamaConfigFile.Read(Path.Combine(folder, "config.json"))))
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            var writer = new SafetensorsWriter();
            foreach (var (name, weight) in network.state_dict())
            {
                if (weight.dim() > 1)
                {
                    nn.init.normal_(weight, 0, 0.08);
                }
                else
                {
                    nn.init.ones_(weight);
                }

                writer.Add(name, weight);
            }

            writer.Save(Path.Combine(folder, "model.safetensors"));
        }

        return TrainableLanguage.Load(new ModelOptions { Path = folder, Template = "chatml", Device = "cpu" });
    }

    // The visible letters that stand for bytes, as byte-level vocabularies write them (Radford et al. 2019).
    private static string Tokenizer()
    {
        var vocabulary = Specials.Select((literal, id) => (literal, id)).ToDictionary(pair => pair.literal, pair => pair.id);
        var hidden = 0;
        for (var value = 0; value < 256; value++)
        {
            var visible = value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
            vocabulary[((char)(visible ? value : 256 + hidden++)).ToString()] = 3 + value;
        }

        return JsonSerializer.Serialize(new
        {
            version = "1.0",
            added_tokens = Specials.Select((content, id) => new { id, content, single_word = false, lstrip = false, rstrip = false, normalized = false, special = true }),
            normalizer = (object?)null,
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            post_processor = (object?)null,
            decoder = new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
            model = new { type = "BPE", dropout = (object?)null, unk_token = (object?)null, fuse_unk = false, byte_fallback = false, vocab = vocabulary, merges = Array.Empty<string>() },
        });
    }
}
