// discord.js as a second client of the simulator: answers mentions and a command, tells what happens to it line by line.
import { Client, Events, GatewayIntentBits } from 'discord.js';
import { GatewayCloseCodes, GatewayIntentBits as Bits, GatewayOpcodes, RESTJSONErrorCodes } from 'discord-api-types/v10';

const [address, token] = [process.env.SIMULATOR, process.env.SIMULATOR_TOKEN];
const say = (line) => console.log(line);

// The numbers as discord.js has them, for comparison with ours.
say('numbers ' + JSON.stringify({ opcodes: GatewayOpcodes, intents: Bits, closeCodes: GatewayCloseCodes, errors: RESTJSONErrorCodes }));

const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages],
  rest: { api: `${address}/api`, cdn: address, version: '10' },
});
client.on(Events.ClientReady, () => say(`ready ${client.user.username} in ${client.guilds.cache.size}`));
client.on(Events.ShardResume, () => say('resumed'));
client.on(Events.Error, (error) => say(`error ${error}`));
client.on(Events.MessageCreate, async (message) => {
  if (message.author.bot) return;
  const answer = await message.reply({ content: `pong ${message.cleanContent}`, allowedMentions: { parse: [] } });
  await answer.edit({ content: `pong ${message.cleanContent} edited`, files: [] });
  if (message.content.includes('thread')) {
    const thread = await message.startThread({ name: 'a thread' });
    await thread.send({ content: 'in it', files: [{ attachment: Buffer.from('bytes'), name: 'file.txt', description: 'words' }] });
  }
  say(`answered ${message.cleanContent}`);
});
client.on(Events.InteractionCreate, async (interaction) => {
  await interaction.deferReply();
  await interaction.editReply(`command ${interaction.commandName}`);
  await interaction.followUp('more');
  say(`command ${interaction.commandName}`);
});
process.on('unhandledRejection', (error) => say(`error ${error}`));
await client.login(token);
