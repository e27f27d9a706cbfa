/** The last step of `npm run build`: the list by which a machine knows that Upbeat's files are whole. */
import { join } from "node:path";
import { listAgentFiles } from "../device/troubleshooter/agentFiles.ts";

await listAgentFiles(join(import.meta.dirname, "../dist"));
