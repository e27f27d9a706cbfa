/** Asks one loopback address once. Arguments: URL STATUS. Exit status 0 when it answers so. */
import { request } from "node:http";

const [url = "", status = "200"] = process.argv.slice(2);
const call = request(url, { timeout: 10_000 }, (response) => {
  response.resume();
  if (response.statusCode === Number(status)) process.exit(0);
  process.stderr.write(`expected status ${status}, found ${response.statusCode}\n`);
  process.exit(1);
});
call.on("timeout", () => call.destroy(new Error("no answer within 10 s")));
call.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
call.end();
