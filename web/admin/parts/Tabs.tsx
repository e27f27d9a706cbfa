/** Tabs of a page; which one is open stands in its address. */
import { Tab, TabList } from "@fluentui/react-components";
import { type ReactNode, useId } from "react";

export function Tabs<Name extends string>(props: {
  readonly label: string;
  readonly tabs: readonly { readonly name: Name; readonly label: string }[];
  readonly open: Name;
  readonly choose: (name: Name) => void;
  readonly children: ReactNode;
}) {
  const id = useId();
  return (
    <>
      <TabList
        aria-label={props.label}
        selectedValue={props.open}
        onTabSelect={(_, { value }) => props.choose(value as Name)}
        style={{ flexWrap: "wrap" }}
      >
        {props.tabs.map(({ name, label }) => (
          <Tab key={name} value={name} id={`${id}-${name}`} aria-controls={`${id}-panel`}>
            {label}
          </Tab>
        ))}
      </TabList>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${props.open}`}>
        {props.children}
      </div>
    </>
  );
}
