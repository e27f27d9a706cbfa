/** What is not on the first page: one script, loaded when the first of them is wanted. */
export { Advanced } from "./Advanced.tsx";
export { History } from "./History.tsx";
export { Logs } from "./Logs.tsx";
export { Services } from "./Services.tsx";
export { Troubleshoot } from "./Troubleshoot.tsx";
export { Why } from "./Why.tsx";
