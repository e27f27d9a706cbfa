/** What the builder makes of files that are no scripts. */
declare module "*.css";
declare module "*.json?url" {
  const address: string;
  export default address;
}
