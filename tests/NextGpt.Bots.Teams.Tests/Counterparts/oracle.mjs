// Reads activities, one JSON a line, and answers each with a line: "ok", or what is wrong with it.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(import.meta.url);
const { Activity } = require('@microsoft/agents-activity');
const { AdaptiveCard, SerializationContext } = require('adaptivecards/dist/adaptivecards.js');

function problemsOf(sent) {
  const problems = [];
  try {
    Activity.fromObject(sent);
  } catch (error) {
    problems.push(`activity: ${error.message}`);
  }
  for (const attachment of sent.attachments ?? []) {
    if (attachment.contentType !== 'application/vnd.microsoft.card.adaptive') continue;
    const context = new SerializationContext();
    new AdaptiveCard().parse(attachment.content, context);
    for (let i = 0; i < context.eventCount; i++) {
      problems.push(`card: ${context.getEventAt(i).message}`);
    }
  }
  return problems;
}

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const problems = problemsOf(JSON.parse(line));
  console.log(problems.length === 0 ? 'ok' : problems.join('; ').replaceAll('\n', ' '));
}
